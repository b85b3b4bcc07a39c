//! `image_metadata`: what the head of a file says, without decoding pixels.

use ::image::{ImageDecoder, ImageError, ImageFormat};
use hypostyle_functions::column::Output;
use hypostyle_functions::scalar::{Bound, Cost, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Field, Registry, Type};

use super::CATEGORY;
use super::decode::reader;
use super::pixels::refused;
use crate::guard::guarded;

/// What the head of a file says.
#[derive(Debug, PartialEq)]
pub(super) struct Metadata {
    pub(super) format: &'static str,
    /// Width, height, channels, bits of a sample, and the orientation of EXIF from 1 to 8.
    pub(super) numbers: [i32; 5],
}

pub(super) fn register(registry: &mut Registry) {
    let numbers = ["width", "height", "channels", "bits", "orientation"];
    let numbers = numbers.map(|name| Field::new(name, Type::Int32));
    let result = Type::Struct([Field::new("format", Type::Text)].into_iter().chain(numbers).collect());
    registry.register_scalar(
        ScalarFunction::new("image_metadata", CATEGORY, "Format and size of an image file, without decoding it.")
            .overload([exact("file", Type::Binary)], move |arguments| {
                let function = arguments.function.to_owned();
                Ok(Bound::strict(result.clone(), move |arguments, rows, output, _| {
                    let files = arguments[0].bytes();
                    rows.for_each(|row| match read(files.get(row)) {
                        Ok(found) => write(output, row, &found),
                        Err(problem) => output.fail(row, || refused(&function, &problem)),
                    });
                    Ok(())
                }))
            })
            .cost(Cost::Parse)
            .note("The result is STRUCT(format, width, height, channels, bits, orientation); channels and bits are those of the file, orientation is that of EXIF, and 1 where nothing is said.")
            .note("A file that is damaged or of another format is an error.")
            .example(
                "image_metadata(from_base64('R0lGODdhAQABAIAAAP8AAAAAACwAAAAAAQABAAACAkQBADs='))",
                "{'format': gif, 'width': 1, 'height': 1, 'channels': 4, 'bits': 8, 'orientation': 1}",
            ),
    );
}

fn write(output: &mut Output, row: usize, found: &Metadata) {
    output.field(0).text().set(row, found.format);
    for (field, number) in found.numbers.iter().enumerate() {
        output.field(1 + field).fixed::<i32>()[row] = *number;
    }
}

/// Reads the head of a file.
pub(super) fn read(file: &[u8]) -> Result<Metadata, String> {
    guarded(|| {
        let (reader, format) = reader(file)?;
        let damaged = |error: ImageError| format!("is no readable {format:?} file: {error}");
        let mut decoder = reader.into_decoder().map_err(damaged)?;
        let (width, height) = decoder.dimensions();
        let [width, height] = [width, height].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
        let colour = decoder.original_color_type();
        let channels = i32::from(colour.channel_count());
        let bits = i32::from(colour.bits_per_pixel()) / channels.max(1);
        // What is not understood is not there.
        let orientation = decoder.orientation().map_or(1, |found| i32::from(found.to_exif()));
        Ok(Metadata { format: name(format), numbers: [width, height, channels, bits, orientation] })
    })
}

fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpeg",
        ImageFormat::Gif => "gif",
        ImageFormat::WebP => "webp",
        ImageFormat::Bmp => "bmp",
        _ => "other",
    }
}
