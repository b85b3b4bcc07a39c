//! `image_to_tensor`: from a file or pixels to the input of a model, in one call.

use hypostyle_functions::column::{Output, Rows};
use hypostyle_functions::scalar::{Arguments, Bound, Cost, Exactness, ScalarFunction};
use hypostyle_functions::signature::{Parameter, exact};
use hypostyle_functions::{Error, Literal, Registry, Type, Value};

use super::decode::Converted;
use super::geometry::{Fit, side};
use super::mode::Mode;
use super::pixels::{Pixels, image_type, refused};
use super::resize::Filter;
use super::resize_function::{Resized, filter};
use super::source::Source;
use super::{CATEGORY, EXACTNESS_NOTE};

/// Most values of a tensor.
const VALUES_MAX: usize = 1 << 26;

pub(super) fn register(registry: &mut Registry) {
    let function = ScalarFunction::new("image_to_tensor", CATEGORY, "The tensor that a model takes, of an image or its file.")
        .overload(parameters(exact("file", Type::Binary)), |arguments| bind(arguments, true))
        .overload(parameters(exact("image", image_type())), |arguments| bind(arguments, false))
        .cost(Cost::Parse)
        .note("The image is resized as image_resize does, taken to the mode and divided by 255; each channel has its mean taken off and is divided by its deviation.")
        .note("The result is FLOAT[channels * height * width], channel by channel ('CHW') or pixel by pixel ('HWC').")
        .note("mean and std have an element for each channel, or one for all; ImageNet's are [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225].")
        .note("A file that is damaged or of another format is an error.")
        .note(EXACTNESS_NOTE)
        .example(
            "image_to_tensor({'width': 2, 'height': 1, 'channels': 1, 'pixels': '\\x00\\xFF'::BLOB}, 2, 1, mode => 'L', mean => [0.5], std => [0.5])",
            "[-1.0, 1.0]",
        );
    registry.register_scalar(ScalarFunction { exactness: Exactness::Platform, ..function });
}

fn parameters(image: Parameter) -> Vec<Parameter> {
    let text = |name, default: &str| exact(name, Type::Text).or(Literal::new(Value::text(default)));
    let numbers = |name| {
        let none = Value::List(Type::Float64, Vec::new());
        exact(name, Type::list(Type::Float64)).or(Literal::new(none))
    };
    vec![
        image,
        exact("width", Type::Int32),
        exact("height", Type::Int32),
        text("mode", "RGB"),
        numbers("mean"),
        numbers("std"),
        text("layout", "CHW"),
        text("filter", "bilinear"),
        text("fit", "stretch"),
    ]
}

/// What a call is bound to.
struct Tensor {
    function: String,
    width: usize,
    height: usize,
    mode: Mode,
    /// The value of each of 256 levels, channel after channel.
    levels: Vec<f32>,
    by_channel: bool,
    filter: Filter,
    fit: Fit,
}

fn bind(arguments: &Arguments<'_>, of_file: bool) -> Result<Bound, Error> {
    let (width, height) = (side(arguments, 1)?, side(arguments, 2)?);
    let mode = Mode::of(arguments, 3)?;
    let size = width * height * mode.channels();
    if size > VALUES_MAX {
        return Err(Error::user(format!(
            "{}: a tensor of {size} values; at most {VALUES_MAX} are possible",
            arguments.function
        )));
    }
    let tensor = Tensor {
        function: arguments.function.to_owned(),
        width,
        height,
        mode,
        levels: levels(arguments, mode.channels())?,
        by_channel: by_channel(arguments, 6)?,
        filter: filter(arguments, 7)?,
        fit: Fit::of(arguments, 8)?,
    };
    let result = Type::fixed_list(Type::Float32, size);
    Ok(Bound::strict(result, move |arguments, rows, output, scratch| {
        tensor.fill(&Source::new(&arguments[0], of_file), rows, output, scratch.slot::<Work>());
        Ok(())
    }))
}

fn by_channel(arguments: &Arguments<'_>, position: usize) -> Result<bool, Error> {
    match arguments.constant_text(position)?.to_ascii_uppercase().as_str() {
        "CHW" => Ok(true),
        "HWC" => Ok(false),
        other => Err(Error::argument(
            arguments.function,
            position + 1,
            format!("is the layout '{other}'; expected 'CHW' or 'HWC'"),
        )),
    }
}

/// The values of all levels: `(level / 255 - mean) / deviation`, in `f32` step by step as frameworks compute it.
fn levels(arguments: &Arguments<'_>, channels: usize) -> Result<Vec<f32>, Error> {
    let means = channel_numbers(arguments, 4, channels, 0.0)?;
    let deviations = channel_numbers(arguments, 5, channels, 1.0)?;
    if let Some(deviation) = deviations.iter().find(|deviation| **deviation <= 0.0 || deviation.is_nan()) {
        let problem = format!("holds {deviation}; expected numbers above 0");
        return Err(Error::argument(arguments.function, 6, problem));
    }
    let channels = means.into_iter().zip(deviations);
    let levels = channels.flat_map(|(mean, deviation)| {
        (0..=255u8).map(move |level| (f32::from(level) / 255.0 - mean) / deviation)
    });
    Ok(levels.collect())
}

/// The numbers of an argument, one for each channel.
fn channel_numbers(
    arguments: &Arguments<'_>,
    position: usize,
    channels: usize,
    default: f32,
) -> Result<Vec<f32>, Error> {
    let Some(values) = arguments.constant(position)?.as_list() else {
        return Err(Error::argument(arguments.function, position + 1, "must be a list of numbers"));
    };
    let numbers = values.iter().map(|value| value.as_f64().map(|number| number as f32));
    match numbers.collect::<Option<Vec<f32>>>().as_deref() {
        Some([]) => Ok(vec![default; channels]),
        Some([number]) => Ok(vec![*number; channels]),
        Some(numbers) if numbers.len() == channels => Ok(numbers.to_vec()),
        _ => Err(Error::argument(
            arguments.function,
            position + 1,
            format!("has {} elements; expected 1 or {channels} numbers, one for each channel", values.len()),
        )),
    }
}

/// Images on their way.
#[derive(Default)]
struct Work {
    resized: Resized,
    converted: Converted,
}

impl Tensor {
    fn fill(&self, source: &Source<'_>, rows: Rows<'_>, output: &mut Output, work: &mut Work) {
        let size = self.width * self.height * self.mode.channels();
        rows.for_each(|row| {
            let places = output.fixed_list_child().fixed::<f32>();
            let place = &mut places[row * size..(row + 1) * size];
            if let Err(problem) = source.with(row, |image| self.write(image, work, place)) {
                output.fail(row, || refused(&self.function, &problem));
            }
        });
    }

    fn write(&self, image: Pixels<'_>, work: &mut Work, place: &mut [f32]) {
        let axes = self.fit.axes(image, self.width, self.height);
        let Work { resized: Resized { resizer, image: small }, converted } = work;
        resizer.resize(image, axes, self.filter, small);
        let pixels = self.mode.converted(small.pixels(), &mut converted.0);
        let channels = pixels.channels;
        if self.by_channel {
            let planes = place.chunks_exact_mut(self.width * self.height);
            for (channel, (plane, levels)) in planes.zip(self.levels.chunks_exact(256)).enumerate() {
                let values = pixels.values[channel..].iter().step_by(channels);
                plane.iter_mut().zip(values).for_each(|(to, level)| *to = levels[usize::from(*level)]);
            }
        } else {
            for (to, from) in place.chunks_exact_mut(channels).zip(pixels.values.chunks_exact(channels)) {
                for ((to, level), levels) in to.iter_mut().zip(from).zip(self.levels.chunks_exact(256)) {
                    *to = levels[usize::from(*level)];
                }
            }
        }
    }
}
