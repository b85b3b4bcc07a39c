//! Modes: which channels a pixel has.

use hypostyle_functions::Error;
use hypostyle_functions::scalar::Arguments;

use super::pixels::{Image, Pixels};

/// Channels of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Grey.
    L,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, opacity.
    Rgba,
}

impl Mode {
    /// Number of channels.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::L => 1,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// The mode that a constant argument names.
    ///
    /// # Errors
    /// Anything else than the name of a mode.
    pub(super) fn of(arguments: &Arguments<'_>, position: usize) -> Result<Self, Error> {
        match arguments.constant_text(position)?.to_ascii_uppercase().as_str() {
            "L" => Ok(Self::L),
            "RGB" => Ok(Self::Rgb),
            "RGBA" => Ok(Self::Rgba),
            other => Err(Error::argument(
                arguments.function,
                position + 1,
                format!("is the mode '{other}'; expected 'L', 'RGB' or 'RGBA'"),
            )),
        }
    }

    /// An image in this mode, made in `place` unless it already has it. Grey is (19595 R + 38470 G + 7471 B + 32768) >> 16, the weights of
    /// BT.601; opacity is dropped, or full where there was none.
    pub(super) fn converted<'a>(self, image: Pixels<'a>, place: &'a mut Image) -> Pixels<'a> {
        if image.channels == self.channels() {
            return image;
        }
        place.values.clear();
        place.values.reserve(image.width * image.height * self.channels());
        let values = &mut place.values;
        let pixels = image.values.chunks_exact(image.channels);
        match image.channels {
            1 => pixels.for_each(|pixel| self.put(values, [pixel[0]; 3], u8::MAX)),
            2 => pixels.for_each(|pixel| self.put(values, [pixel[0]; 3], pixel[1])),
            3 => pixels.for_each(|pixel| self.put(values, [pixel[0], pixel[1], pixel[2]], u8::MAX)),
            _ => pixels.for_each(|pixel| self.put(values, [pixel[0], pixel[1], pixel[2]], pixel[3])),
        }
        (place.width, place.height, place.channels) = (image.width, image.height, self.channels());
        place.pixels()
    }

    #[inline(always)]
    fn put(self, values: &mut Vec<u8>, colour: [u8; 3], opacity: u8) {
        match self {
            Self::L => {
                let [red, green, blue] = colour.map(u32::from);
                values.push(((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16) as u8);
            }
            Self::Rgb => values.extend_from_slice(&colour),
            Self::Rgba => values.extend_from_slice(&[colour[0], colour[1], colour[2], opacity]),
        }
    }
}
