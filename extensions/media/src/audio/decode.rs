//! `audio_decode` and `audio_metadata`.

use std::io::Cursor;

use hypostyle_functions::column::Output;
use hypostyle_functions::scalar::{Arguments, Bound, Cost, Exactness, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Field, Literal, Registry, Type, Value};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;

use super::CATEGORY;
use super::resample::Resampler;
use super::samples::rate;
use crate::guard::guarded;

/// The formats that are read.
const FORMATS: &str = "WAV, FLAC, MP3 or Ogg Vorbis";

/// Most samples of a file, over all channels: a small file can claim to be hours long.
const SAMPLES_MAX: usize = 1 << 29;

/// Decoded sound, channels interleaved.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sound {
    pub(super) sample_rate: u32,
    pub(super) channels: usize,
    pub(super) samples: Vec<f32>,
}

/// What the head of a file says.
#[derive(Debug, PartialEq)]
pub(super) struct Head {
    pub(super) codec: String,
    pub(super) sample_rate: u32,
    pub(super) channels: usize,
    pub(super) frames: Option<u64>,
}

pub(super) fn register(registry: &mut Registry) {
    register_decode(registry);
    let fields = vec![
        Field::new("codec", Type::Text),
        Field::new("sample_rate", Type::Int32),
        Field::new("channels", Type::Int32),
        Field::new("frames", Type::Int64),
        Field::new("seconds", Type::Float64),
    ];
    let result = Type::Struct(fields);
    registry.register_scalar(
        ScalarFunction::new("audio_metadata", CATEGORY, "Codec, rate and length of a sound file, without decoding it.")
            .overload([exact("file", Type::Binary)], move |arguments| {
                let function = arguments.function.to_owned();
                Ok(Bound::strict(result.clone(), move |arguments, rows, output, _| {
                    let files = arguments[0].bytes();
                    rows.for_each(|row| match head(files.get(row)) {
                        Ok(head) => write_head(output, row, &head),
                        Err(problem) => output.fail(row, || Error::argument(&function, 1, &problem)),
                    });
                    Ok(())
                }))
            })
            .cost(Cost::Parse)
            .note("The result is STRUCT(codec, sample_rate, channels, frames, seconds); frames and seconds are NULL where the head does not tell.")
            .note("A file that is damaged or of another format is an error.")
            .example(
                "audio_metadata(from_base64('UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQQAAAAAAABA')).sample_rate",
                "8000",
            ),
    );
}

fn register_decode(registry: &mut Registry) {
    let function = ScalarFunction::new("audio_decode", CATEGORY, "The samples of a sound file.")
        .overload(
            [
                exact("file", Type::Binary),
                exact("sample_rate", Type::Int32).or(Literal::new(Value::Int32(0))),
                exact("channels", Type::Text).or(Literal::new(Value::text("mono"))),
            ],
            bind_decode,
        )
        .cost(Cost::Parse)
        .note(&format!("Reads {FORMATS}, from -1 to 1; integers are divided by half of their range."))
        .note("channels is 'mono', the mean of all, or 'all', interleaved. With a sample_rate above 0 the sound is resampled as audio_resample does.")
        .note("The result is STRUCT(sample_rate, channels, samples).")
        .note("A file that is damaged, ends early or has another format is an error.")
        .note("MP3 and Vorbis are decoded in floating point, whose last bit may differ between machines.")
        .example(
            "audio_decode(from_base64('UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQQAAAAAAABA'))",
            "{'sample_rate': 8000, 'channels': 1, 'samples': [0.0, 0.5]}",
        );
    registry.register_scalar(ScalarFunction { exactness: Exactness::Platform, ..function });
}

fn bind_decode(arguments: &Arguments<'_>) -> Result<Bound, Error> {
    let wanted = rate(arguments, 1, 0)?;
    let mono = match arguments.constant_text(2)?.to_ascii_lowercase().as_str() {
        "mono" => true,
        "all" => false,
        other => {
            let problem = format!("is '{other}'; expected 'mono' or 'all'");
            return Err(Error::argument(arguments.function, 3, problem));
        }
    };
    let result = Type::Struct(vec![
        Field::new("sample_rate", Type::Int32),
        Field::new("channels", Type::Int32),
        Field::new("samples", Type::list(Type::Float32)),
    ]);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(result, move |arguments, rows, output, scratch| {
        let files = arguments[0].bytes();
        let resampler = scratch.slot::<Resampler>();
        rows.for_each(|row| match decoded(files.get(row)) {
            Ok(sound) => {
                let sound = if mono { sound.into_mono() } else { sound };
                write_sound(output, row, &resampled(sound, wanted, resampler));
            }
            Err(problem) => output.fail(row, || Error::argument(&function, 1, &problem)),
        });
        output.check_capacity()
    }))
}

fn resampled(sound: Sound, wanted: usize, resampler: &mut Resampler) -> Sound {
    if wanted == 0 || wanted == sound.sample_rate as usize {
        return sound;
    }
    resampler.prepare(sound.sample_rate as usize, wanted);
    let mut planes: Vec<Vec<f32>> = Vec::with_capacity(sound.channels);
    for channel in 0..sound.channels {
        let plane: Vec<f32> = sound.samples.iter().skip(channel).step_by(sound.channels).copied().collect();
        let mut resampled = vec![0.0; resampler.length(plane.len())];
        resampler.resample(&plane, &mut resampled);
        planes.push(resampled);
    }
    let frames = planes.first().map_or(0, Vec::len);
    let samples = (0..frames).flat_map(|frame| planes.iter().map(move |plane| plane[frame])).collect();
    Sound { sample_rate: wanted as u32, channels: sound.channels, samples }
}

impl Sound {
    /// The mean of all channels.
    fn into_mono(self) -> Self {
        if self.channels == 1 {
            return self;
        }
        let frames = self.samples.chunks_exact(self.channels);
        let samples = frames.map(|frame| frame.iter().sum::<f32>() / self.channels as f32).collect();
        Self { channels: 1, samples, ..self }
    }
}

fn write_sound(output: &mut Output, row: usize, sound: &Sound) {
    output.field(0).fixed::<i32>()[row] = i32::try_from(sound.sample_rate).unwrap_or(i32::MAX);
    output.field(1).fixed::<i32>()[row] = i32::try_from(sound.channels).unwrap_or(i32::MAX);
    let mut list = output.field(2).list();
    let start = list.child().grow(sound.samples.len());
    list.child().fixed::<f32>()[start..].copy_from_slice(&sound.samples);
    list.finish(row, start);
}

fn write_head(output: &mut Output, row: usize, head: &Head) {
    output.field(0).text().set(row, &head.codec);
    output.field(1).fixed::<i32>()[row] = i32::try_from(head.sample_rate).unwrap_or(i32::MAX);
    output.field(2).fixed::<i32>()[row] = i32::try_from(head.channels).unwrap_or(i32::MAX);
    match head.frames {
        Some(frames) => {
            output.field(3).fixed::<i64>()[row] = i64::try_from(frames).unwrap_or(i64::MAX);
            output.field(4).fixed::<f64>()[row] = frames as f64 / f64::from(head.sample_rate);
        }
        None => [3, 4].into_iter().for_each(|field| output.field(field).set_null(row)),
    }
}

fn damaged(error: symphonia::core::errors::Error) -> String {
    format!("is no readable sound file: {error}")
}

/// Opens a file and finds its first track of sound.
fn opened(file: &[u8]) -> Result<Box<dyn FormatReader + '_>, String> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(file)), Default::default());
    let options = (Default::default(), Default::default());
    symphonia::default::get_probe()
        .probe(&Hint::new(), stream, options.0, options.1)
        .map_err(|error| format!("is no sound file of a known format ({error}); expected {FORMATS}"))
}

fn sound_of(reader: &dyn FormatReader) -> Result<(&Track, &AudioCodecParameters), String> {
    let track = reader.default_track(TrackType::Audio);
    let found = track.and_then(|track| Some((track, track.codec_params.as_ref()?.audio()?)));
    found.ok_or_else(|| "holds no track of sound".into())
}

/// Reads the head of a file.
pub(super) fn head(file: &[u8]) -> Result<Head, String> {
    guarded(|| {
        let reader = opened(file)?;
        let (track, parameters) = sound_of(&*reader)?;
        let codecs = symphonia::default::get_codecs();
        let codec = codecs.get_audio_decoder(parameters.codec).map(|codec| codec.codec.info.short_name);
        Ok(Head {
            codec: codec.unwrap_or("unknown").to_owned(),
            sample_rate: positive(parameters.sample_rate)?,
            channels: parameters.channels.as_ref().map_or(1, |channels| channels.count()).max(1),
            frames: track.num_frames,
        })
    })
}

fn positive(sample_rate: Option<u32>) -> Result<u32, String> {
    sample_rate.filter(|rate| *rate > 0).ok_or_else(|| "does not tell its sample rate".into())
}

/// The samples of a file.
pub(super) fn decoded(file: &[u8]) -> Result<Sound, String> {
    guarded(|| {
        let mut reader = opened(file)?;
        let (track, parameters) = sound_of(&*reader)?;
        let (track, expected) = (track.id, track.num_frames);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(damaged)?;
        let mut sound = Sound { sample_rate: positive(parameters.sample_rate)?, ..Sound::default() };
        let mut part: Vec<f32> = Vec::new();
        while let Some(packet) = reader.next_packet().map_err(damaged)? {
            if packet.track_id != track {
                continue;
            }
            let buffer = decoder.decode(&packet).map_err(damaged)?;
            let channels = buffer.num_planes();
            if sound.channels != 0 && sound.channels != channels {
                return Err("changes the number of its channels".into());
            }
            sound.channels = channels;
            buffer.copy_to_vec_interleaved(&mut part);
            if sound.samples.len() + part.len() > SAMPLES_MAX {
                return Err(format!("has more than {SAMPLES_MAX} samples"));
            }
            sound.samples.extend_from_slice(&part);
        }
        sound.channels = sound.channels.max(1);
        let frames = (sound.samples.len() / sound.channels) as u64;
        match expected {
            Some(expected) if frames < expected => {
                Err(format!("ends after {frames} of the {expected} frames that it promises"))
            }
            _ => Ok(sound),
        }
    })
}
