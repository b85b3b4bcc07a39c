//! The definitions, said plainly, and the values of librosa, against the fast forms.

use std::f64::consts::PI;

use super::decode::{decoded, head};
use super::fourier::Fourier;
use super::mel::{Frames, Mel, Shape};
use super::resample::Resampler;

/// A wave and some noise.
fn signal(samples: usize) -> Vec<f32> {
    let value = |i: usize| (0.05 * i as f64).sin() * 0.5 + ((i * 7919 % 1000) as f64 / 1000.0 - 0.5) * 0.2;
    (0..samples).map(|i| value(i) as f32).collect()
}

#[test]
fn transforms_are_those_of_the_definition_for_any_length() {
    for length in [1, 2, 3, 4, 5, 6, 7, 8, 12, 30, 49, 101, 128, 300, 400] {
        let input: Vec<_> =
            signal(2 * length).chunks(2).map(|pair| (f64::from(pair[0]), f64::from(pair[1]))).collect();
        let mut output = vec![(0.0, 0.0); length];
        Fourier::new(length).transform(&input, &mut output);
        for (k, found) in output.iter().enumerate() {
            let terms = input.iter().enumerate().map(|(n, value)| {
                let angle = -2.0 * PI * (k * n % length) as f64 / length as f64;
                (value.0 * angle.cos() - value.1 * angle.sin(), value.0 * angle.sin() + value.1 * angle.cos())
            });
            let expected = terms.fold((0.0, 0.0), |sum, term| (sum.0 + term.0, sum.1 + term.1));
            let off = (found.0 - expected.0).hypot(found.1 - expected.1);
            assert!(off < 1e-11 * length as f64, "{length}, {k}: {found:?}, {expected:?}");
        }
    }
}

fn powers(shape: Shape, samples: &[f32]) -> Vec<Vec<f64>> {
    let mel = Mel::new(shape);
    let mut values = vec![vec![f64::NAN; shape.bands]; mel.frames(samples.len())];
    mel.power(samples, &mut Frames::default(), |frame, band, power| values[frame][band] = power);
    values
}

#[test]
fn spectrograms_are_those_of_librosa() {
    let shape = Shape { sample_rate: 16000, window: 400, hop: 160, bands: 80, lowest: 0.0, highest: 8000.0 };
    let values = powers(shape, &signal(3000));
    assert_eq!(values.len(), 19);
    // Frame, band, decimal logarithm, of librosa 0.11 with pad_mode='reflect', which works in single precision.
    let known = [
        (0, 0, 1.232883095741272),
        (0, 3, 1.107595443725586),
        (5, 10, -2.2635746002197266),
        (9, 40, -2.179675817489624),
        (18, 79, -2.3549256324768066),
        (0, 79, -2.3653833866119385),
        (18, 20, -3.392608404159546),
    ];
    for (frame, band, expected) in known {
        let found: f64 = values[frame][band].log10();
        assert!((found - expected).abs() < 2e-5, "{frame}, {band}: {found}, {expected}");
    }
}

#[test]
fn a_signal_shorter_than_its_frame_is_mirrored_several_times() {
    let shape = Shape { sample_rate: 22050, window: 300, hop: 77, bands: 20, lowest: 50.0, highest: 8000.0 };
    let values = powers(shape, &signal(50));
    assert_eq!(values.len(), 1);
    for (band, expected) in [(0, 1.5615194), (7, 0.007515788), (19, 0.0020661387)] {
        let found = values[0][band];
        assert!((found / expected - 1.0).abs() < 1e-4, "{band}: {found}, {expected}");
    }
    assert!(powers(shape, &[]).is_empty());
    assert!(powers(shape, &[0.25]).iter().flatten().all(|power| power.is_finite()));
}

/// The definition: a sum over all inputs of a windowed sinc.
fn plainly_resampled(input: &[f32], from: usize, to: usize) -> Vec<f64> {
    let divisor = (1..=from).rev().find(|d| from.is_multiple_of(*d) && to.is_multiple_of(*d)).unwrap();
    let (from, to) = ((from / divisor) as f64, (to / divisor) as f64);
    let cut_off = from.min(to) * 0.99;
    let length = (input.len() as f64 * to / from).ceil() as usize;
    let value = |n: usize| -> f64 {
        let weight = |i: usize| {
            let time = (i as f64 / from - n as f64 / to) * cut_off;
            if time.abs() >= 6.0 {
                return 0.0;
            }
            let sinc = if time == 0.0 { 1.0 } else { (time * PI).sin() / (time * PI) };
            sinc * (time * PI / 12.0).cos().powi(2) * cut_off / from
        };
        input.iter().enumerate().map(|(i, sample)| f64::from(*sample) * weight(i)).sum()
    };
    (0..length).map(value).collect()
}

#[test]
fn resampling_is_that_of_the_definition() {
    let mut resampler = Resampler::default();
    for (from, to) in [(44100, 16000), (8000, 16000), (16000, 8000), (3, 7), (22050, 16000), (5, 5)] {
        for length in [0, 1, 2, 300] {
            let input = signal(length);
            resampler.prepare(from, to);
            let mut output = vec![f32::NAN; resampler.length(length)];
            resampler.resample(&input, &mut output);
            let expected = plainly_resampled(&input, from, to);
            assert_eq!(output.len(), expected.len(), "{from} to {to}, {length}");
            for (found, expected) in output.iter().zip(expected) {
                assert!((f64::from(*found) - expected).abs() < 2e-6, "{from} to {to}: {found}, {expected}");
            }
        }
    }
}

/// A WAV file of 16-bit samples.
pub(crate) fn wav(sample_rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let bytes = samples.len() as u32 * 2;
    let mut file = Vec::new();
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + bytes).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0");
    file.extend_from_slice(&channels.to_le_bytes());
    file.extend_from_slice(&sample_rate.to_le_bytes());
    file.extend_from_slice(&(sample_rate * 2 * u32::from(channels)).to_le_bytes());
    file.extend_from_slice(&(2 * channels).to_le_bytes());
    file.extend_from_slice(b"\x10\0data");
    file.extend_from_slice(&bytes.to_le_bytes());
    samples.iter().for_each(|sample| file.extend_from_slice(&sample.to_le_bytes()));
    file
}

#[test]
fn wav_files_give_back_what_was_written() {
    let samples: Vec<i16> = (0..5000).map(|i| (i * 37 % 65536 - 32768) as i16).collect();
    for channels in [1, 2] {
        let file = wav(22050, channels, &samples);
        let sound = decoded(&file).unwrap();
        assert_eq!((sound.sample_rate, sound.channels), (22050, usize::from(channels)));
        let expected: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32768.0).collect();
        assert_eq!(sound.samples, expected);
        let head = head(&file).unwrap();
        assert_eq!((head.sample_rate, head.frames), (22050, Some(5000 / u64::from(channels))));
    }
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    let file = wav(8000, 2, &[1, 2, 3, 4, 5, 6, 7, 8]);
    for end in 0..file.len() {
        assert!(decoded(&file[..end]).is_err(), "{end} bytes");
    }
    for place in 0..file.len() {
        for change in [1, 0x55, 0xff] {
            let mut file = file.clone();
            file[place] ^= change;
            // Some changes are seen and some are not; either is an answer.
            let _ = (decoded(&file), head(&file));
        }
    }
    assert!(decoded(b"").unwrap_err().contains("known format"));
}
