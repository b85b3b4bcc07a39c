//! `log_mel`.

use hypostyle_functions::kernel::transcendental::{ln_one, log10_one};
use hypostyle_functions::scalar::{Arguments, Bound, Cost, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Literal, Registry, Type, Value};

use super::CATEGORY;
use super::mel::{Frames, Mel, Shape};
use super::samples::{Samples, number, rate};

/// Least power whose logarithm is taken.
const LEAST: f64 = 1e-10;

/// What is made of the power of a band.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// The power itself.
    Power,
    /// The natural logarithm.
    Ln,
    /// The decimal logarithm.
    Log10,
    /// Ten times the decimal logarithm.
    Decibel,
    /// What Whisper takes: the decimal logarithm, at least 8 below the loudest, plus 4, over 4, without the last frame.
    Whisper,
}

/// Samples and frames of a call.
#[derive(Default)]
struct Work {
    place: Vec<f32>,
    frames: Frames,
}

pub(super) fn register(registry: &mut Registry) {
    let integer = |name, default| exact(name, Type::Int32).or(Literal::new(Value::Int32(default)));
    let double = |name| exact(name, Type::Float64).or(Literal::new(Value::float64(0.0)));
    registry.register_scalar(
        ScalarFunction::new("log_mel", CATEGORY, "The spectrogram of samples on the mel scale: a FLOAT[n_mels] for each frame.")
            .overload(
                [
                    exact("samples", Type::list(Type::Float32)),
                    exact("sample_rate", Type::Int32),
                    integer("n_mels", 80),
                    integer("n_fft", 400),
                    integer("hop", 160),
                    exact("scale", Type::Text).or(Literal::new(Value::text("log10"))),
                    double("f_min"),
                    double("f_max"),
                ],
                bind,
            )
            .cost(Cost::Parse)
            .note("librosa's melspectrogram with pad_mode='reflect', which is what torch.stft and Whisper do: frames in the middle of the signal, mirrored at its ends, a periodic Hann window, power, Slaney's scale and norm.")
            .note("scale is 'log10' or 'ln' of at least 1e-10, 'db' (ten times log10), 'power', or 'whisper', which gives the input of that model at 16000 Hz and drops the last frame as it does.")
            .note("f_max 0 is half the sample rate. No samples give no frames; a null sample is an error.")
            .note("Transforms are computed in double precision, in one order on every machine.")
            .example("len(log_mel([0.0, 0.5, 0.0, -0.5], 16000, hop => 2))", "3")
            .example("log_mel([0.0, 0.0], 16000, n_mels => 2, n_fft => 8)", "[[-10.0, -10.0]]"),
    );
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound, Error> {
    let sample_rate = rate(arguments, 1, 1)?;
    let bands = number(arguments, 2, 1, 1024)?;
    let hertz = |position: usize| {
        let highest = sample_rate as f64 / 2.0;
        let value = arguments.constant(position)?.as_f64().filter(|value| (0.0..=highest).contains(value));
        let problem = || format!("must be a frequency from 0 to {highest}, half the sample rate");
        value.ok_or_else(|| Error::argument(arguments.function, position + 1, problem()))
    };
    let (lowest, highest) = (hertz(6)?, hertz(7)?);
    let highest = if highest == 0.0 { sample_rate as f64 / 2.0 } else { highest };
    if lowest >= highest {
        let problem = format!("is {lowest} Hz; expected less than the highest frequency, {highest} Hz");
        return Err(Error::argument(arguments.function, 7, problem));
    }
    let scale = scale(arguments, 5)?;
    let (window, hop) = (number(arguments, 3, 2, 1 << 16)?, number(arguments, 4, 1, 1 << 20)?);
    let mel = Mel::new(Shape { sample_rate, window, hop, bands, lowest, highest });
    let function = arguments.function.to_owned();
    let result = Type::list(Type::fixed_list(Type::Float32, bands));
    Ok(Bound::strict(result, move |arguments, rows, output, scratch| {
        let samples = Samples::new(&arguments[0]);
        let Work { place, frames } = scratch.slot::<Work>();
        rows.for_each(|row| match samples.get(row, place) {
            Ok(samples) => {
                let count = mel.frames(samples.len());
                let kept = if scale == Scale::Whisper { count.saturating_sub(1) } else { count };
                let mut list = output.list();
                let start = list.child().grow(kept);
                let values = &mut list.child().fixed_list_child().fixed::<f32>()[start * bands..];
                spectrogram(&mel, samples, frames, scale, bands, values);
                list.finish(row, start);
            }
            Err(problem) => output.fail(row, || Error::argument(&function, 1, &problem)),
        });
        output.check_capacity()
    }))
}

fn scale(arguments: &Arguments<'_>, position: usize) -> Result<Scale, Error> {
    Ok(match arguments.constant_text(position)?.to_ascii_lowercase().as_str() {
        "power" => Scale::Power,
        "ln" => Scale::Ln,
        "log10" => Scale::Log10,
        "db" => Scale::Decibel,
        "whisper" => Scale::Whisper,
        other => {
            let problem =
                format!("is the scale '{other}'; expected 'log10', 'ln', 'db', 'power' or 'whisper'");
            return Err(Error::argument(arguments.function, position + 1, problem));
        }
    })
}

/// Fills as many frames as there is place for.
fn spectrogram(
    mel: &Mel,
    samples: &[f32],
    frames: &mut Frames,
    scale: Scale,
    bands: usize,
    values: &mut [f32],
) {
    mel.power(samples, frames, |frame, band, power| {
        let value = match scale {
            Scale::Power => power,
            Scale::Ln => ln_one(power.max(LEAST)),
            Scale::Log10 | Scale::Whisper => log10_one(power.max(LEAST)),
            Scale::Decibel => 10.0 * log10_one(power.max(LEAST)),
        };
        if let Some(place) = values.get_mut(frame * bands + band) {
            *place = value as f32;
        }
    });
    if scale == Scale::Whisper {
        let loudest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        values.iter_mut().for_each(|value| *value = (value.max(loudest - 8.0) + 4.0) / 4.0);
    }
}
