//! `audio_resample`.

use hypostyle_functions::scalar::{Bound, Cost, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Registry, Type};

use super::CATEGORY;
use super::resample::Resampler;
use super::samples::{Samples, rate};

/// Samples and filters of a call.
#[derive(Default)]
struct Work {
    place: Vec<f32>,
    resampler: Resampler,
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("audio_resample", CATEGORY, "Samples at another rate.")
            .overload(
                [exact("samples", Type::list(Type::Float32)), exact("from", Type::Int32), exact("to", Type::Int32)],
                |arguments| {
                    let (from, to) = (rate(arguments, 1, 1)?, rate(arguments, 2, 1)?);
                    let function = arguments.function.to_owned();
                    Ok(Bound::strict(Type::list(Type::Float32), move |arguments, rows, output, scratch| {
                        let samples = Samples::new(&arguments[0]);
                        let Work { place, resampler } = scratch.slot::<Work>();
                        resampler.prepare(from, to);
                        rows.for_each(|row| match samples.get(row, place) {
                            Ok(samples) => {
                                let length = resampler.length(samples.len());
                                let mut list = output.list();
                                let start = list.child().grow(length);
                                let values = &mut list.child().fixed::<f32>()[start..];
                                if from == to {
                                    values.copy_from_slice(samples);
                                } else {
                                    resampler.resample(samples, values);
                                }
                                list.finish(row, start);
                            }
                            Err(problem) => output.fail(row, || Error::argument(&function, 1, &problem)),
                        });
                        output.check_capacity()
                    }))
                },
            )
            .cost(Cost::Parse)
            .note("A sinc under a Hann window of six crossings a side, cut off at 0.99 of half the lower rate: torchaudio's resample with its defaults. Outside the samples is silence.")
            .note("A null sample is an error; no samples stay none.")
            .example("len(audio_resample([0.0, 1.0, 0.0, -1.0], 8000, 16000))", "8"),
    );
}
