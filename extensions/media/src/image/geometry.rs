//! Sizes: whole positive numbers that are known while planning, and which part of a resized image is wanted.

use hypostyle_functions::Error;
use hypostyle_functions::scalar::Arguments;

use super::pixels::Pixels;
use super::resize::Axis;

/// Longest side of a result.
const SIDE_MAX: i64 = 32_768;

/// A side of a result, a constant argument.
///
/// # Errors
/// Anything else than a number from 1 to 32768.
pub(super) fn side(arguments: &Arguments<'_>, position: usize) -> Result<usize, Error> {
    let value = arguments.constant(position)?.as_i64();
    value.filter(|side| (1..=SIDE_MAX).contains(side)).map(|side| side as usize).ok_or_else(|| {
        Error::argument(arguments.function, position + 1, format!("must be a number from 1 to {SIDE_MAX}"))
    })
}

/// How an image of another shape becomes one of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Each side on its own.
    Stretch,
    /// As small as covers the size, its middle.
    Cover,
}

impl Fit {
    /// The fit that a constant argument names.
    ///
    /// # Errors
    /// Anything else than the name of a fit.
    pub(super) fn of(arguments: &Arguments<'_>, position: usize) -> Result<Self, Error> {
        match arguments.constant_text(position)?.to_ascii_lowercase().as_str() {
            "stretch" => Ok(Self::Stretch),
            "cover" => Ok(Self::Cover),
            other => Err(Error::argument(
                arguments.function,
                position + 1,
                format!("is the fit '{other}'; expected 'stretch' or 'cover'"),
            )),
        }
    }

    /// Both axes of a resizing to this size.
    pub(super) fn axes(self, image: Pixels<'_>, width: usize, height: usize) -> [Axis; 2] {
        let (mut whole_width, mut whole_height) = (width, height);
        if self == Self::Cover {
            if width * image.height >= height * image.width {
                whole_height = height.max(width * image.height / image.width);
            } else {
                whole_width = width.max(height * image.width / image.height);
            }
        }
        let axis = |input, whole, wanted| Axis { input, whole, start: middle(whole, wanted), wanted };
        [axis(image.width, whole_width, width), axis(image.height, whole_height, height)]
    }
}

/// Where a part of this length begins in the middle: half of what is over, rounded to even.
pub(super) fn middle(whole: usize, part: usize) -> usize {
    let over = whole - part;
    let half = over / 2;
    if over % 2 == 1 { half + half % 2 } else { half }
}
