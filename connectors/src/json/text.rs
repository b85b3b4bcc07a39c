//! Parsed values written back as JSON text.

use simd_json::{Node, StaticNode};

/// Appends the value that begins at `at` of a tape; gives the position behind it.
pub fn write_value(tape: &[Node<'_>], at: usize, text: &mut String) -> usize {
    match tape.get(at) {
        None => at + 1,
        Some(Node::Static(value)) => {
            write_static(value, text);
            at + 1
        }
        Some(Node::String(value)) => {
            write_string(value, text);
            at + 1
        }
        Some(Node::Array { len, .. }) => {
            text.push('[');
            let mut position = at + 1;
            for index in 0..*len {
                if index > 0 {
                    text.push(',');
                }
                position = write_value(tape, position, text);
            }
            text.push(']');
            position
        }
        Some(Node::Object { len, .. }) => {
            text.push('{');
            let mut position = at + 1;
            for index in 0..*len {
                if index > 0 {
                    text.push(',');
                }
                if let Some(Node::String(key)) = tape.get(position) {
                    write_string(key, text);
                    text.push(':');
                }
                position = write_value(tape, position + 1, text);
            }
            text.push('}');
            position
        }
    }
}

/// Appends a truth value, number or null.
pub fn write_static(value: &StaticNode, text: &mut String) {
    use std::fmt::Write as _;
    // Writing to a string does not fail.
    let _ = match value {
        StaticNode::Null => write!(text, "null"),
        StaticNode::Bool(value) => write!(text, "{value}"),
        StaticNode::I64(value) => write!(text, "{value}"),
        StaticNode::U64(value) => write!(text, "{value}"),
        StaticNode::F64(value) => write!(text, "{value:?}"),
    };
}

/// Appends a string in quotes.
pub fn write_string(value: &str, text: &mut String) {
    use std::fmt::Write as _;
    text.push('"');
    let mut rest = value;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        text.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x08 => text.push_str("\\b"),
            0x0c => text.push_str("\\f"),
            control => {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{control:04x}");
            }
        }
        rest = &rest[at + 1..];
    }
    text.push_str(rest);
    text.push('"');
}
