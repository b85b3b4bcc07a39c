//! `image_resize`.

use hypostyle_functions::scalar::{Arguments, Bound, Cost, ScalarFunction};
use hypostyle_functions::signature::exact;
use hypostyle_functions::{Error, Literal, Registry, Type, Value};

use super::CATEGORY;
use super::geometry::{Fit, side};
use super::pixels::{Image, Images, image_type, refused, write};
use super::resize::{Filter, Resizer};

/// A resized image and what made it.
#[derive(Default)]
pub(super) struct Resized {
    pub(super) resizer: Resizer,
    pub(super) image: Image,
}

pub(super) fn register(registry: &mut Registry) {
    registry.register_scalar(
        ScalarFunction::new("image_resize", CATEGORY, "An image in another size.")
            .overload(
                [
                    exact("image", image_type()),
                    exact("width", Type::Int32),
                    exact("height", Type::Int32),
                    exact("filter", Type::Text).or(Literal::new(Value::text("bilinear"))),
                    exact("fit", Type::Text).or(Literal::new(Value::text("stretch"))),
                ],
                bind,
            )
            .cost(Cost::Parse)
            .note("filter is 'bilinear', 'bicubic' (a = -0.5), 'lanczos' (3 lobes), 'box' or 'nearest'; all but the last widen with the scale, so that shrinking does not alias, with the weights of Pillow.")
            .note("fit is 'stretch', or 'cover': the short side fits, and of the other one the middle is kept, as torchvision's Resize and CenterCrop do.")
            .note("Sums are single-precision floats in a fixed order, rounded once, with halves up; Pillow also rounds between its two passes, so that values may differ by one.")
            .example(
                "image_resize({'width': 2, 'height': 1, 'channels': 1, 'pixels': '\\x00\\xFF'::BLOB}, 4, 1).pixels",
                "\\x00@\\xBF\\xFF",
            ),
    );
}

fn bind(arguments: &Arguments<'_>) -> Result<Bound, Error> {
    let (width, height) = (side(arguments, 1)?, side(arguments, 2)?);
    let (filter, fit) = (filter(arguments, 3)?, Fit::of(arguments, 4)?);
    let function = arguments.function.to_owned();
    Ok(Bound::strict(image_type(), move |arguments, rows, output, scratch| {
        let images = Images::new(&arguments[0]);
        let Resized { resizer, image } = scratch.slot::<Resized>();
        rows.for_each(|row| match images.get(row) {
            Ok(found) => {
                resizer.resize(found, fit.axes(found, width, height), filter, image);
                write(output, row, image.pixels());
            }
            Err(problem) => output.fail(row, || refused(&function, &problem)),
        });
        output.check_capacity()
    }))
}

/// The filter that a constant argument names.
pub(super) fn filter(arguments: &Arguments<'_>, position: usize) -> Result<Filter, Error> {
    let name = arguments.constant_text(position)?;
    Filter::named(name).ok_or_else(|| {
        let right = "'bilinear', 'bicubic', 'lanczos', 'box' or 'nearest'";
        let problem = format!("is the filter '{name}'; expected {right}");
        Error::argument(arguments.function, position + 1, problem)
    })
}
