//! Which of our functions the standard extensions name, and how.
//!
//! Functions that mean the same on both sides stand in the tables of this module. Those whose arguments or types differ are
//! handled where expressions are written and read.

use hypostyle_functions::Type;

/// Where our own functions and types are described: under their own names.
pub const OWN_URN: &str = "extension:io.hypostyle:functions";

/// How the names of the format's own extensions begin.
const STANDARD_URN: &str = "extension:io.substrait:";

/// How the places of the format's own extensions were written before they had names.
const STANDARD_URI: &str = "https://github.com/substrait-io/substrait/";

/// The extensions of the format that hold functions of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// Numbers, aggregates over them, and windows.
    Arithmetic,
    /// Decimals.
    ArithmeticDecimal,
    /// Comparisons and tests.
    Comparison,
    /// Truth values.
    Boolean,
    /// Texts.
    String,
    /// Dates and times.
    Datetime,
    /// Logarithms.
    Logarithmic,
    /// Rounding.
    Rounding,
    /// Lists.
    List,
    /// Aggregates over anything.
    AggregateGeneric,
    /// Aggregates that estimate.
    AggregateApprox,
    /// Our own.
    Own,
}

impl Extension {
    /// Its name.
    pub fn urn(self) -> &'static str {
        match self {
            Self::Arithmetic => "extension:io.substrait:functions_arithmetic",
            Self::ArithmeticDecimal => "extension:io.substrait:functions_arithmetic_decimal",
            Self::Comparison => "extension:io.substrait:functions_comparison",
            Self::Boolean => "extension:io.substrait:functions_boolean",
            Self::String => "extension:io.substrait:functions_string",
            Self::Datetime => "extension:io.substrait:functions_datetime",
            Self::Logarithmic => "extension:io.substrait:functions_logarithmic",
            Self::Rounding => "extension:io.substrait:functions_rounding",
            Self::List => "extension:io.substrait:functions_list",
            Self::AggregateGeneric => "extension:io.substrait:functions_aggregate_generic",
            Self::AggregateApprox => "extension:io.substrait:functions_aggregate_approx",
            Self::Own => OWN_URN,
        }
    }
}

/// Functions of texts that take only texts and whole numbers, and so need no look at types but one: that the first
/// argument is a text.
const TEXT: [(&str, &str); 20] = [
    ("like", "like"),
    ("substring", "substring"),
    ("starts_with", "starts_with"),
    ("ends_with", "ends_with"),
    ("contains", "contains"),
    ("strpos", "strpos"),
    ("replace", "replace"),
    ("repeat", "repeat"),
    ("reverse", "reverse"),
    ("lower", "lower"),
    ("upper", "upper"),
    ("initcap", "initcap"),
    ("char_length", "length"),
    ("bit_length", "bit_length"),
    ("ltrim", "ltrim"),
    ("rtrim", "rtrim"),
    ("trim", "trim"),
    ("lpad", "lpad"),
    ("rpad", "rpad"),
    ("string_split", "string_split"),
];

/// Functions of any comparable values.
const COMPARISON: [(&str, &str); 15] = [
    ("equal", "="),
    ("not_equal", "<>"),
    ("lt", "<"),
    ("lte", "<="),
    ("gt", ">"),
    ("gte", ">="),
    ("is_distinct_from", "is_distinct_from"),
    ("is_not_distinct_from", "is_not_distinct_from"),
    ("is_null", "is_null"),
    ("is_not_null", "is_not_null"),
    ("is_nan", "isnan"),
    ("is_finite", "isfinite"),
    ("is_infinite", "isinf"),
    ("least_skip_null", "least"),
    ("greatest_skip_null", "greatest"),
];

/// Functions of doubles.
const FLOAT: [(&str, &str); 18] = [
    ("sqrt", "sqrt"),
    ("exp", "exp"),
    ("power", "pow"),
    ("sin", "sin"),
    ("cos", "cos"),
    ("tan", "tan"),
    ("asin", "asin"),
    ("acos", "acos"),
    ("atan", "atan"),
    ("atan2", "atan2"),
    ("sinh", "sinh"),
    ("cosh", "cosh"),
    ("tanh", "tanh"),
    ("asinh", "asinh"),
    ("acosh", "acosh"),
    ("atanh", "atanh"),
    ("radians", "radians"),
    ("degrees", "degrees"),
];

/// Functions of whole numbers.
const BITS: [(&str, &str); 6] = [
    ("bitwise_not", "~"),
    ("bitwise_and", "&"),
    ("bitwise_or", "|"),
    ("bitwise_xor", "xor"),
    ("shift_left", "<<"),
    ("shift_right", ">>"),
];

/// Arithmetic of numbers.
const NUMBERS: [(&str, &str); 7] = [
    ("add", "+"),
    ("subtract", "-"),
    ("multiply", "*"),
    ("modulus", "%"),
    ("negate", "negate"),
    ("abs", "abs"),
    ("sign", "sign"),
];

/// Logarithms.
const LOGARITHMS: [(&str, &str); 4] = [("ln", "ln"), ("log2", "log2"), ("log1p", "log1p"), ("log10", "log")];

/// Rounding to whole numbers.
const ROUNDING: [(&str, &str); 2] = [("ceil", "ceil"), ("floor", "floor")];

/// Parts of dates and times, with our functions that tell them; all count from 1 or tell the part as it is written.
pub const DATE_PARTS: [(&str, &str); 12] = [
    ("YEAR", "year"),
    ("ISO_YEAR", "isoyear"),
    ("QUARTER", "quarter"),
    ("MONTH", "month"),
    ("DAY", "day"),
    ("DAY_OF_YEAR", "dayofyear"),
    ("MONDAY_DAY_OF_WEEK", "isodow"),
    ("ISO_WEEK", "week"),
    ("HOUR", "hour"),
    ("MINUTE", "minute"),
    ("SECOND", "second"),
    ("UNIX_TIME", "epoch"),
];

/// Aggregates whose names differ.
const AGGREGATES: [(&str, &str); 10] = [
    ("sum", "sum"),
    ("avg", "avg"),
    ("min", "min"),
    ("max", "max"),
    ("product", "product"),
    ("corr", "corr"),
    ("mode", "mode"),
    ("bool_and", "bool_and"),
    ("bool_or", "bool_or"),
    ("string_agg", "string_agg"),
];

/// Aggregates of the generic and approximating extensions.
const GENERIC_AGGREGATES: [&str; 3] = ["count", "any_value", "approx_count_distinct"];

/// Functions of windows, which have one name on both sides.
pub const WINDOW_FUNCTIONS: [&str; 11] = [
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "first_value",
    "last_value",
    "nth_value",
    "lead",
    "lag",
];

fn standard_of(table: &[(&'static str, &str)], ours: &str) -> Option<&'static str> {
    table.iter().find(|(_, name)| *name == ours).map(|(standard, _)| *standard)
}

/// The extension and name of one of our scalar functions over arguments of these types.
pub fn scalar(ours: &str, types: &[Type]) -> (Extension, &'static str) {
    let first = types.first();
    let all = |test: fn(&Type) -> bool| !types.is_empty() && types.iter().all(test);
    let text = first == Some(&Type::Text);
    if let Some(name) = standard_of(&COMPARISON, ours) {
        return (Extension::Comparison, name);
    }
    if let Some(name) = standard_of(&TEXT, ours)
        && text
        && !(ours == "like" && types.len() > 2)
    {
        return (Extension::String, name);
    }
    if all(Type::is_numeric) {
        let decimal = types.iter().any(|data_type| matches!(data_type, Type::Decimal(..)));
        let arithmetic = if decimal { Extension::ArithmeticDecimal } else { Extension::Arithmetic };
        if let Some(name) = standard_of(&NUMBERS, ours) {
            return (arithmetic, name);
        }
        if let Some(name) = standard_of(&LOGARITHMS, ours)
            && types.len() == 1
        {
            return (Extension::Logarithmic, name);
        }
        if let Some(name) = standard_of(&ROUNDING, ours) {
            return (Extension::Rounding, name);
        }
        if ours == "round" && types.len() == 2 {
            return (Extension::Rounding, "round");
        }
        let division = (ours == "/" && all(Type::is_float)) || (ours == "//" && all(Type::is_integer));
        if division {
            return (Extension::Arithmetic, "divide");
        }
    }
    if let Some(name) = standard_of(&FLOAT, ours)
        && all(Type::is_float)
    {
        return (Extension::Arithmetic, name);
    }
    if let Some(name) = standard_of(&BITS, ours)
        && all(Type::is_integer)
    {
        return (Extension::Arithmetic, name);
    }
    match (ours, types) {
        ("not", _) => (Extension::Boolean, "not"),
        ("||", [Type::Text, Type::Text]) => (Extension::String, "concat"),
        ("+", [Type::Date | Type::Timestamp(_) | Type::TimestampTz, Type::Interval]) => {
            (Extension::Datetime, "add")
        }
        ("-", [Type::Date | Type::Timestamp(_) | Type::TimestampTz, Type::Interval]) => {
            (Extension::Datetime, "subtract")
        }
        ("+", [Type::Interval, Type::Interval]) => (Extension::Datetime, "add_intervals"),
        ("list_transform", [_, _]) => (Extension::List, "transform"),
        ("list_filter", [_, _]) => (Extension::List, "filter"),
        _ => (Extension::Own, ""),
    }
}

/// The extension and name of one of our aggregates over arguments of these types.
pub fn aggregate(ours: &str, types: &[Type]) -> (Extension, &'static str) {
    let generic = GENERIC_AGGREGATES.iter().find(|name| **name == ours);
    match (generic, standard_of(&AGGREGATES, ours), types) {
        (Some(name), _, _) if *name == "approx_count_distinct" => (Extension::AggregateApprox, name),
        (Some(name), _, _) => (Extension::AggregateGeneric, name),
        (_, Some(name @ ("bool_and" | "bool_or")), _) => (Extension::Boolean, name),
        (_, Some(name @ "string_agg"), _) => (Extension::String, name),
        // The standard average of a whole number or decimal is one again; ours is a double.
        (_, Some("avg"), [data_type]) if !data_type.is_float() => (Extension::Own, ""),
        (_, Some(name), [Type::Decimal(..), ..]) => (Extension::ArithmeticDecimal, name),
        (_, Some(name), [data_type, ..]) if data_type.is_numeric() => (Extension::Arithmetic, name),
        (_, Some(name @ ("min" | "max")), [data_type]) if data_type.is_temporal() => {
            (Extension::Datetime, name)
        }
        _ => (Extension::Own, ""),
    }
}

/// Our scalar function of a standard name.
pub fn ours_of_scalar(standard: &str) -> Option<&'static str> {
    let tables: [&[(&str, &'static str)]; 7] =
        [&COMPARISON, &NUMBERS, &TEXT, &FLOAT, &BITS, &LOGARITHMS, &ROUNDING];
    let found = tables.iter().flat_map(|table| table.iter()).find(|(name, _)| *name == standard);
    found.map(|(_, ours)| *ours).or(match standard {
        "not" => Some("not"),
        "round" => Some("round"),
        "add_intervals" => Some("+"),
        "octet_length" => Some("octet_length"),
        "left" => Some("left"),
        "right" => Some("right"),
        "factorial" => Some("factorial"),
        "strftime" => Some("strftime"),
        "concat_ws" => Some("concat_ws"),
        "transform" => Some("list_transform"),
        "filter" => Some("list_filter"),
        "cardinality" => Some("length"),
        _ => None,
    })
}

/// Our aggregate of a standard name.
pub fn ours_of_aggregate(standard: &str) -> Option<&'static str> {
    let found = AGGREGATES.iter().find(|(name, _)| *name == standard).map(|(_, ours)| *ours);
    found.or_else(|| GENERIC_AGGREGATES.into_iter().find(|name| *name == standard)).or(match standard {
        "median" => Some("median"),
        _ => None,
    })
}

/// How a function came by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The format's own extensions.
    Standard,
    /// Ours.
    Own,
    /// Nobody said, or an extension that is not known here: the name is tried as a standard one and then as one of ours.
    Unknown,
}

impl Origin {
    /// The origin that the name or place of an extension tells.
    pub fn of(extension: Option<&str>) -> Self {
        match extension {
            Some(OWN_URN) => Self::Own,
            Some(urn) if urn.starts_with(STANDARD_URN) || urn.starts_with(STANDARD_URI) => Self::Standard,
            // Older producers wrote the bare path of the file.
            Some(path) if path.starts_with("/functions_") => Self::Standard,
            _ => Self::Unknown,
        }
    }
}

/// The name of a function with the short names of its arguments' types, as declarations have it.
pub fn compound(extension: Extension, name: &str, types: &[Type]) -> String {
    let is_generic =
        matches!(extension, Extension::Comparison | Extension::AggregateGeneric | Extension::AggregateApprox);
    let names: Vec<&str> = match (extension, name, types) {
        // A function that takes any number of arguments of one type names that type once.
        (Extension::Boolean | Extension::String, "and" | "or" | "concat", [first, ..]) => vec![short(first)],
        (Extension::Comparison, "coalesce" | "least_skip_null" | "greatest_skip_null", _) => vec!["any"],
        _ => types.iter().map(|data_type| if is_generic { "any" } else { short(data_type) }).collect(),
    };
    format!("{name}:{}", names.join("_"))
}

fn short(data_type: &Type) -> &'static str {
    match data_type {
        Type::Null => "any",
        Type::Boolean => "bool",
        Type::Int8 | Type::UInt8 => "i8",
        Type::Int16 | Type::UInt16 => "i16",
        Type::Int32 | Type::UInt32 => "i32",
        Type::Int64 | Type::UInt64 => "i64",
        Type::Float16 => "u!fp16",
        Type::Float32 => "fp32",
        Type::Float64 => "fp64",
        Type::Decimal(..) => "dec",
        Type::Text => "str",
        Type::Binary => "vbin",
        Type::Date => "date",
        Type::Time => "pt",
        Type::Timestamp(_) => "pts",
        Type::TimestampTz => "ptstz",
        Type::Interval => "icompound",
        Type::List(_) => "list",
        Type::FixedList(..) => "u!fixed_size_list",
        Type::Struct(_) => "struct",
        Type::Map(..) => "map",
    }
}

#[cfg(test)]
mod tests {
    use hypostyle_functions::Registry;

    use super::*;

    #[test]
    fn every_name_of_the_tables_is_a_function_of_the_registry() {
        let registry = Registry::builtin();
        let scalars = [&COMPARISON[..], &NUMBERS, &TEXT, &FLOAT, &BITS, &LOGARITHMS, &ROUNDING, &DATE_PARTS];
        for (_, ours) in scalars.iter().flat_map(|table| table.iter()) {
            assert!(registry.scalar(ours).is_some(), "{ours} is no scalar function");
        }
        for (_, ours) in AGGREGATES {
            assert!(registry.aggregate(ours).is_some(), "{ours} is no aggregate");
        }
        for name in GENERIC_AGGREGATES {
            assert!(registry.aggregate(name).is_some(), "{name} is no aggregate");
        }
        for name in WINDOW_FUNCTIONS {
            assert!(registry.window(name).is_some(), "{name} is no window function");
        }
    }

    #[test]
    fn names_are_found_the_way_back() {
        for (standard, ours) in [&COMPARISON[..], &NUMBERS, &TEXT, &FLOAT, &BITS].concat() {
            assert_eq!(ours_of_scalar(standard), Some(ours));
        }
    }

    #[test]
    fn the_types_of_arguments_choose_the_extension() {
        let decimal = Type::Decimal(12, 2);
        assert_eq!(scalar("+", &[Type::Int64, Type::Int64]), (Extension::Arithmetic, "add"));
        assert_eq!(scalar("+", &[decimal.clone(), decimal]), (Extension::ArithmeticDecimal, "add"));
        assert_eq!(scalar("+", &[Type::Date, Type::Interval]), (Extension::Datetime, "add"));
        assert_eq!(scalar("+", &[Type::Date, Type::Int32]).0, Extension::Own);
        assert_eq!(scalar("//", &[Type::Float64, Type::Float64]).0, Extension::Own);
        assert_eq!(compound(Extension::Arithmetic, "add", &[Type::Int64, Type::Int64]), "add:i64_i64");
    }
}
