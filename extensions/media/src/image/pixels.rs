//! A decoded image as a value: 8 bits a sample, rows from the top, the channels of a pixel together.

use hypostyle_functions::column::{Bytes, Fixed, Output, View};
use hypostyle_functions::{Error, Field, Type};

/// `STRUCT(width INTEGER, height INTEGER, channels INTEGER, pixels BLOB)`.
pub(super) fn image_type() -> Type {
    let fields = ["width", "height", "channels"].map(|name| Field::new(name, Type::Int32));
    Type::Struct(fields.into_iter().chain([Field::new("pixels", Type::Binary)]).collect())
}

/// Borrowed pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pixels<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) values: &'a [u8],
}

/// Owned pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Image {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) channels: usize,
    pub(super) values: Vec<u8>,
}

impl Image {
    pub(super) fn pixels(&self) -> Pixels<'_> {
        let Self { width, height, channels, values } = self;
        Pixels { width: *width, height: *height, channels: *channels, values }
    }
}

impl<'a> Pixels<'a> {
    /// The values of a row.
    pub(super) fn row(&self, y: usize) -> &'a [u8] {
        let stride = self.width * self.channels;
        &self.values[y * stride..(y + 1) * stride]
    }
}

/// The columns of images.
pub(super) struct Images<'a> {
    sizes: [Fixed<'a, i32>; 3],
    size_views: [View<'a>; 3],
    pixels: Bytes<'a>,
    pixels_view: View<'a>,
}

impl<'a> Images<'a> {
    /// Images of a column of [`image_type`].
    pub(super) fn new(view: &View<'a>) -> Self {
        let size_views = [view.field(0), view.field(1), view.field(2)];
        let pixels_view = view.field(3);
        let sizes = size_views.map(|size| size.fixed::<i32>());
        Self { sizes, size_views, pixels: pixels_view.bytes(), pixels_view }
    }

    /// The image in a row that is not null.
    ///
    /// # Errors
    /// Sizes that are null, not positive, or not those of the pixels.
    pub(super) fn get(&self, row: usize) -> Result<Pixels<'a>, String> {
        if self.pixels_view.is_null(row) || self.size_views.iter().any(|size| size.is_null(row)) {
            return Err("is an image with a field that is null".into());
        }
        let [width, height, channels] = [0, 1, 2].map(|field| self.sizes[field].get(row));
        let values = self.pixels.get(row);
        let of_sizes = || format!("is an image of {width} x {height} pixels and {channels} channels");
        let [Ok(w), Ok(h), Ok(c)] = [width, height, channels].map(usize::try_from) else {
            return Err(format!("{}; expected at least one pixel and 1 to 4 channels", of_sizes()));
        };
        if w == 0 || h == 0 || !(1..=4).contains(&c) {
            return Err(format!("{}; expected at least one pixel and 1 to 4 channels", of_sizes()));
        }
        if w.checked_mul(h).and_then(|count| count.checked_mul(c)) != Some(values.len()) {
            return Err(format!("{} with {} values", of_sizes(), values.len()));
        }
        Ok(Pixels { width: w, height: h, channels: c, values })
    }
}

/// Writes an image to a row of a column of [`image_type`].
pub(super) fn write(output: &mut Output, row: usize, image: Pixels<'_>) {
    for (field, size) in [image.width, image.height, image.channels].into_iter().enumerate() {
        // Decoders and arguments are limited to far less.
        output.field(field).fixed::<i32>()[row] = i32::try_from(size).unwrap_or(i32::MAX);
    }
    output.field(3).bytes().set(row, image.values);
}

/// The error of a row.
pub(super) fn refused(function: &str, problem: &str) -> Error {
    Error::argument(function, 1, problem)
}
