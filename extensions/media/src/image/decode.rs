//! `image_decode`: the pixels of a file.

use std::io::Cursor;

use ::image::metadata::Orientation;
use ::image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use hypostyle_functions::scalar::{Bound, Cost, Exactness, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Literal, Registry, Type, Value};

use super::mode::Mode;
use super::pixels::{Image, image_type, refused, write};
use super::{CATEGORY, EXACTNESS_NOTE};
use crate::guard::guarded;

/// Longest side of an image.
const SIDE_MAX: u32 = 32_768;

/// Most bytes that a decoder may take: a small file can claim to be a huge image.
const DECODER_BYTES_MAX: u64 = 512 << 20;

/// The formats that are read.
const FORMATS: &str = "PNG, JPEG, GIF, WebP or BMP";

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("image_decode", CATEGORY, "The pixels of an image file.")
        .overload(
            [
                exact("file", Type::Binary),
                exact("mode", Type::Text).or(Literal::new(Value::text("RGB"))),
                exact("orient", Type::Boolean).or(Literal::new(Value::Boolean(false))),
            ],
            |arguments| {
                let mode = Mode::of(arguments, 1)?;
                let orient = arguments.known(2).and_then(Value::as_bool).unwrap_or(false);
                let function = arguments.function.to_owned();
                Ok(Bound::strict(image_type(), move |arguments, rows, output, scratch| {
                    let files = arguments[0].bytes();
                    let place = scratch.slot::<Converted>();
                    rows.for_each(|row| match decoded(files.get(row), orient) {
                        Ok(image) => write(output, row, mode.converted(image.pixels(), &mut place.0)),
                        Err(problem) => output.fail(row, || refused(&function, &problem)),
                    });
                    output.check_capacity()
                }))
            },
        )
        .cost(Cost::Parse)
        .note(&format!("Reads {FORMATS}, of an animation the first frame; samples of 16 bits are rounded to 8."))
        .note("mode is 'RGB', 'L' (grey by the weights of BT.601) or 'RGBA'; orient => true turns the image as its EXIF data says.")
        .note("The result is STRUCT(width, height, channels, pixels), pixels row by row with the channels of a pixel together.")
        .note("A file that is damaged, of another format or of more than 32768 pixels a side is an error.")
        .note(EXACTNESS_NOTE)
        .example(
            "image_decode(from_base64('R0lGODdhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs='))",
            "{'width': 1, 'height': 1, 'channels': 3, 'pixels': '\\\\xFF\\\\x00\\\\x00'}",
        );
    registry.register_scalar(ScalarFunction { exactness: Exactness::Platform, ..function });
}

/// Pixels in the mode that is asked for.
#[derive(Default)]
pub(super) struct Converted(pub(super) Image);

/// Reads from bytes.
type Reader<'a> = ImageReader<Cursor<&'a [u8]>>;

/// A reader of a file whose format is known from its first bytes.
pub(super) fn reader(file: &[u8]) -> Result<(Reader<'_>, ImageFormat), String> {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format();
    let mut reader = reader.map_err(|error| error.to_string())?;
    let Some(format) = reader.format() else {
        return Err(format!("is no image file of a known format; expected {FORMATS}"));
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    reader.limits(limits);
    Ok((reader, format))
}

/// The pixels of a file, with 1 to 4 channels.
pub(super) fn decoded(file: &[u8], orient: bool) -> Result<Image, String> {
    guarded(|| {
        let (reader, format) = reader(file)?;
        let damaged = |error: ImageError| format!("is no readable {format:?} file: {error}");
        let mut decoder = reader.into_decoder().map_err(damaged)?;
        let orientation =
            if orient { decoder.orientation().map_err(damaged)? } else { Orientation::NoTransforms };
        let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
        image.apply_orientation(orientation);
        Ok(of_dynamic(image))
    })
}

fn of_dynamic(image: DynamicImage) -> Image {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, values) = match image {
        DynamicImage::ImageLuma8(image) => (1, image.into_raw()),
        DynamicImage::ImageLumaA8(image) => (2, image.into_raw()),
        DynamicImage::ImageRgb8(image) => (3, image.into_raw()),
        DynamicImage::ImageRgba8(image) => (4, image.into_raw()),
        grey @ DynamicImage::ImageLuma16(_) => (1, grey.into_luma8().into_raw()),
        grey @ DynamicImage::ImageLumaA16(_) => (2, grey.into_luma_alpha8().into_raw()),
        other if other.color().has_alpha() => (4, other.into_rgba8().into_raw()),
        other => (3, other.into_rgb8().into_raw()),
    };
    Image { width, height, channels, values }
}
