//! `image_crop` and `image_center_crop`.

use hypostyle_functions::scalar::{Arguments, Bound, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Registry, Type};

use super::CATEGORY;
use super::geometry::{middle, side};
use super::pixels::{Images, Pixels, image_type, refused, write};

/// The values of a part.
#[derive(Default)]
struct Part(Vec<u8>);

pub(super) fn register(registry: &mut Registry) {
    let inside = "A part that is not inside the image is an error.";
    let integer = |name| exact(name, Type::Int32);
    let image = || exact("image", image_type());
    registry.register_scalar(
        ScalarFunction::new("image_crop", CATEGORY, "A part of an image.")
            .overload([image(), integer("left"), integer("top"), integer("width"), integer("height")], bind_crop)
            .note(inside)
            .example(
                "image_crop({'width': 2, 'height': 2, 'channels': 1, 'pixels': 'abcd'::BLOB}, 1, 0, 1, 2).pixels",
                "bd",
            ),
    );
    registry.register_scalar(
        ScalarFunction::new("image_center_crop", CATEGORY, "The middle of an image.")
            .overload([image(), integer("width"), integer("height")], bind_center_crop)
            .note("Where an odd number of rows or columns is left over, half of it is rounded to even, as torchvision's CenterCrop does.")
            .note(inside)
            .example(
                "image_center_crop({'width': 3, 'height': 1, 'channels': 1, 'pixels': 'abc'::BLOB}, 1, 1).pixels",
                "b",
            ),
    );
}

fn bind_crop(arguments: &Arguments<'_>) -> Result<Bound, Error> {
    let function = arguments.function.to_owned();
    Ok(Bound::strict(image_type(), move |arguments, rows, output, scratch| {
        let images = Images::new(&arguments[0]);
        let numbers = [1, 2, 3, 4].map(|position: usize| arguments[position].fixed::<i32>());
        let Part(place) = scratch.slot::<Part>();
        rows.for_each(|row| {
            let part = [0, 1, 2, 3].map(|number: usize| numbers[number].get(row));
            match images.get(row).and_then(|image| cut(image, part, place)) {
                Ok(image) => write(output, row, image),
                Err(problem) => output.fail(row, || refused(&function, &problem)),
            }
        });
        output.check_capacity()
    }))
}

fn bind_center_crop(arguments: &Arguments<'_>) -> Result<Bound, Error> {
    let (width, height) = (side(arguments, 1)?, side(arguments, 2)?);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(image_type(), move |arguments, rows, output, scratch| {
        let images = Images::new(&arguments[0]);
        let Part(place) = scratch.slot::<Part>();
        rows.for_each(|row| {
            match images.get(row).and_then(|image| cut_middle(image, width, height, place)) {
                Ok(image) => write(output, row, image),
                Err(problem) => output.fail(row, || refused(&function, &problem)),
            }
        });
        output.check_capacity()
    }))
}

/// The part of an image from (left, top) on, in `place`.
fn cut<'a>(
    image: Pixels<'_>,
    [left, top, width, height]: [i32; 4],
    place: &'a mut Vec<u8>,
) -> Result<Pixels<'a>, String> {
    let outside = || {
        format!(
            "has {} x {} pixels; {width} x {height} from ({left}, {top}) are not inside",
            image.width, image.height
        )
    };
    let [Ok(x), Ok(y), Ok(w), Ok(h)] = [left, top, width, height].map(usize::try_from) else {
        return Err(outside());
    };
    if w == 0 || h == 0 || x + w > image.width || y + h > image.height {
        return Err(outside());
    }
    place.clear();
    for row in y..y + h {
        place.extend_from_slice(&image.row(row)[x * image.channels..(x + w) * image.channels]);
    }
    Ok(Pixels { width: w, height: h, channels: image.channels, values: place })
}

fn cut_middle<'a>(
    image: Pixels<'_>,
    width: usize,
    height: usize,
    place: &'a mut Vec<u8>,
) -> Result<Pixels<'a>, String> {
    if width > image.width || height > image.height {
        return Err(format!(
            "has {} x {} pixels; its middle of {width} x {height} is not inside",
            image.width, image.height
        ));
    }
    let part = [middle(image.width, width), middle(image.height, height), width, height];
    cut(image, part.map(|number| i32::try_from(number).unwrap_or(i32::MAX)), place)
}
