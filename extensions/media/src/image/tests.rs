//! The definitions, said plainly, and the values of Pillow and imagehash, against the fast forms.

use std::io::Cursor;

use ::image::{ExtendedColorType, ImageFormat};

use super::decode::decoded;
use super::geometry::Fit;
use super::mode::Mode;
use super::pixels::{Image, Pixels};
use super::resize::{Axis, Filter, Resizer};

const FILTERS: [&str; 5] = ["bilinear", "bicubic", "lanczos", "box", "nearest"];

/// A pattern with edges and slopes, whose sizes are no multiples of anything.
fn pattern(width: usize, height: usize, channels: usize) -> Image {
    let value = |y: usize, x: usize, c: usize| ((x * 7 + y * 13 + c * 50 + (x * y) % 31) % 256) as u8;
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
    let values = places.flat_map(|(y, x)| (0..channels).map(move |c| value(y, x, c))).collect();
    Image { width, height, channels, values }
}

fn resized(image: &Image, axes: [Axis; 2], filter: Filter) -> Image {
    let mut place = Image::default();
    Resizer::default().resize(image.pixels(), axes, filter, &mut place);
    place
}

fn stretched(image: &Image, width: usize, height: usize, filter: &str) -> Image {
    resized(image, Fit::Stretch.axes(image.pixels(), width, height), Filter::named(filter).unwrap())
}

fn pixel(image: &Image, x: usize, y: usize) -> &[u8] {
    &image.values[(y * image.width + x) * image.channels..][..image.channels]
}

/// The weights of one output, by the definition.
fn plain_weights(filter: &str, input: usize, whole: usize, output: usize) -> Vec<(usize, f64)> {
    let scale = input as f64 / whole as f64;
    let middle = (output as f64 + 0.5) * scale;
    if filter == "nearest" {
        return vec![((middle.floor() as usize).min(input - 1), 1.0)];
    }
    let sinc =
        |x: f64| if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) };
    let value = |x: f64| match filter {
        "bilinear" if x.abs() < 1.0 => 1.0 - x.abs(),
        "bicubic" if x.abs() < 1.0 => 1.5 * x.abs().powi(3) - 2.5 * x * x + 1.0,
        "bicubic" if x.abs() < 2.0 => -0.5 * x.abs().powi(3) + 2.5 * x * x - 4.0 * x.abs() + 2.0,
        "lanczos" if x.abs() < 3.0 => sinc(x) * sinc(x / 3.0),
        "box" if x > -0.5 && x <= 0.5 => 1.0,
        _ => 0.0,
    };
    let weight = |pixel: usize| value((pixel as f64 + 0.5 - middle) / scale.max(1.0));
    let weights: Vec<_> = (0..input).map(|pixel| (pixel, weight(pixel))).collect();
    let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
    weights.into_iter().map(|(pixel, weight)| (pixel, weight / sum)).collect()
}

#[test]
fn resizing_is_within_one_of_the_definition() {
    for channels in 1..=4 {
        let image = pattern(23, 17, channels);
        for filter in FILTERS {
            for (width, height) in [(23, 17), (9, 5), (1, 1), (40, 33), (7, 60), (64, 8)] {
                let result = stretched(&image, width, height, filter);
                for y in 0..height {
                    let down = plain_weights(filter, 17, height, y);
                    for x in 0..width {
                        let across = plain_weights(filter, 23, width, x);
                        for c in 0..channels {
                            let value = |i: usize, j: usize| f64::from(pixel(&image, i, j)[c]);
                            let sum: f64 = down
                                .iter()
                                .map(|(j, v)| v * across.iter().map(|(i, w)| w * value(*i, *j)).sum::<f64>())
                                .sum();
                            let found = f64::from(pixel(&result, x, y)[c]);
                            let expected = sum.clamp(0.0, 255.0);
                            // Half of a step, and what single precision adds to it.
                            assert!(
                                (found - expected).abs() <= 0.501,
                                "{filter} {width}x{height} ({x}, {y}): {found}, {expected}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn resizing_gives_the_values_of_pillow() {
    // Three pixels and the sum of all values, of Pillow 13.
    type Known = (&'static str, usize, usize, [[u8; 3]; 3], u64);
    let known: [Known; 6] = [
        ("bilinear", 16, 11, [[118, 168, 212], [32, 82, 132], [49, 99, 149]], 67345),
        ("bilinear", 100, 90, [[122, 172, 222], [0, 50, 100], [76, 126, 176]], 3440452),
        ("bicubic", 100, 90, [[126, 176, 226], [0, 48, 98], [77, 127, 177]], 3440699),
        ("lanczos", 16, 11, [[119, 166, 234], [25, 75, 124], [35, 106, 156]], 67305),
        ("box", 16, 11, [[118, 168, 218], [21, 71, 121], [59, 109, 159]], 67231),
        ("nearest", 100, 90, [[124, 174, 224], [0, 50, 100], [76, 126, 176]], 3437588),
    ];
    let image = pattern(53, 37, 3);
    for (filter, width, height, pixels, sum) in known {
        let result = stretched(&image, width, height, filter);
        let places = [(width / 3, height / 2), (0, 0), (width - 1, height - 1)];
        for ((x, y), expected) in places.into_iter().zip(pixels) {
            for (found, expected) in pixel(&result, x, y).iter().zip(expected) {
                assert!(
                    found.abs_diff(expected) <= 1,
                    "{filter} {width}x{height} ({x}, {y}): {found}, {expected}"
                );
            }
        }
        let found: u64 = result.values.iter().map(|value| u64::from(*value)).sum();
        // Pillow rounds halves up twice, which makes its values a little greater.
        let near = result.values.len() as u64 / 10;
        assert!(found.abs_diff(sum) <= near, "{filter} {width}x{height}: {found}, {sum}");
    }
}

#[test]
fn an_image_of_one_value_keeps_it_and_an_equal_size_keeps_all() {
    for value in [0, 1, 127, 254, 255] {
        let image = Image { width: 11, height: 5, channels: 3, values: vec![value; 165] };
        for filter in FILTERS {
            let result = stretched(&image, 4, 9, filter);
            assert!(result.values.iter().all(|found| *found == value), "{filter} {value}");
        }
    }
    let image = pattern(53, 37, 3);
    FILTERS.iter().for_each(|filter| assert_eq!(stretched(&image, 53, 37, filter), image, "{filter}"));
}

#[test]
fn covering_is_the_middle_of_the_whole() {
    for (width, height, whole_width, whole_height) in [(16, 16, 22, 16), (10, 30, 42, 30), (53, 10, 53, 37)] {
        let image = pattern(53, 37, 3);
        let axes = Fit::Cover.axes(image.pixels(), width, height);
        assert_eq!([axes[0].whole, axes[1].whole], [whole_width, whole_height]);
        for filter in FILTERS {
            let part = resized(&image, axes, Filter::named(filter).unwrap());
            let whole = stretched(&image, whole_width, whole_height, filter);
            for y in 0..height {
                for x in 0..width {
                    let place = pixel(&whole, axes[0].start + x, axes[1].start + y);
                    assert_eq!(pixel(&part, x, y), place, "{filter} ({x}, {y})");
                }
            }
        }
    }
}

#[test]
fn a_resizer_used_for_other_sizes_in_between_gives_the_same() {
    let (mut resizer, mut place) = (Resizer::default(), Image::default());
    let (large, small) = (pattern(53, 37, 3), pattern(8, 90, 1));
    for image in [&large, &small, &large, &large] {
        let axes = Fit::Stretch.axes(image.pixels(), 20, 12);
        resizer.resize(image.pixels(), axes, Filter::Bicubic, &mut place);
        assert_eq!(place, resized(image, axes, Filter::Bicubic));
    }
}

#[test]
fn modes_convert_as_pillow_does() {
    let image = pattern(53, 37, 3);
    let mut place = Image::default();
    let grey = Mode::L.converted(image.pixels(), &mut place);
    assert_eq!((grey.row(5)[7], grey.row(36)[52]), (159, 117));
    let two = Pixels { width: 1, height: 1, channels: 2, values: &[9, 7] };
    assert_eq!(Mode::Rgba.converted(two, &mut place).values, [9, 9, 9, 7]);
    let four = Pixels { width: 1, height: 1, channels: 4, values: &[1, 2, 3, 4] };
    assert_eq!(Mode::Rgb.converted(four, &mut place).values, [1, 2, 3]);
    assert_eq!(Mode::Rgba.converted(four, &mut place).values, [1, 2, 3, 4]);
}

/// An image as a file.
fn encoded(image: &Image, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let colour = if image.channels == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    let (width, height) = (image.width as u32, image.height as u32);
    ::image::write_buffer_with_format(&mut file, &image.values, width, height, colour, format).unwrap();
    file.into_inner()
}

#[test]
fn formats_without_loss_give_back_what_was_written() {
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP] {
        let image = pattern(53, 37, 3);
        assert_eq!(decoded(&encoded(&image, format), false), Ok(image), "{format:?}");
    }
    let grey = pattern(9, 4, 1);
    assert_eq!(decoded(&encoded(&grey, ImageFormat::Png), false), Ok(grey));
}

#[test]
fn jpeg_files_are_near_what_was_written() {
    let values = (0..48 * 40).flat_map(|i| [(i % 48) as u8 * 4, (i / 48) as u8 * 5, 128]).collect();
    let image = Image { width: 48, height: 40, channels: 3, values };
    let found = decoded(&encoded(&image, ImageFormat::Jpeg), false).unwrap();
    let off = image.values.iter().zip(&found.values).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
    assert!(off < image.values.len() as u64 * 4, "{off}");
}

#[test]
fn damaged_files_are_errors_and_never_panics() {
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::WebP, ImageFormat::Jpeg] {
        let file = encoded(&pattern(33, 17, 3), format);
        assert!(
            decoded(&file[..file.len() / 2], false).is_err() || format == ImageFormat::Jpeg,
            "{format:?}"
        );
        for end in 0..file.len().min(200) {
            assert!(decoded(&file[..end], false).is_err() || end > 100, "{format:?} {end}");
        }
        for place in 0..file.len() {
            let mut file = file.clone();
            file[place] ^= 0x55;
            // Some changes are seen and some are not; either is an answer.
            let _ = decoded(&file, true);
        }
    }
    assert!(decoded(b"", false).unwrap_err().contains("known format"));
    assert!(decoded(b"GIF89a", false).unwrap_err().contains("is no readable Gif file"));
}

#[test]
fn a_file_that_claims_to_be_huge_is_refused() {
    let mut file = encoded(&pattern(8, 8, 1), ImageFormat::Bmp);
    file[18..26].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    assert!(decoded(&file, false).is_err());
}
