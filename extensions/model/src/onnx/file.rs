//! A small model as an ONNX file, made from a seed: the sum of the vectors of its words, times a matrix, through a hyperbolic tangent, of length 1.
//!
//! ONNX files are Protocol Buffers; the few messages that a model of eight operators needs are written here.

/// Sizes and seed of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmallModel {
    /// Ids of words, the first of which is no word.
    pub vocabulary: usize,
    /// Elements of a vector.
    pub dimension: usize,
    /// What its weights are drawn from.
    pub seed: u64,
}

impl Default for SmallModel {
    fn default() -> Self {
        Self { vocabulary: 2048, dimension: 32, seed: 1 }
    }
}

/// The numbers of ONNX's element types.
const FLOAT: u64 = 1;
const INT64: u64 = 7;

/// The number of the attribute type that is a list of whole numbers.
const INTS: u64 = 7;

/// The number of the attribute type that is a whole number.
const INT: u64 = 2;

impl SmallModel {
    /// The vectors of words and the matrix, row by row: uniform from -0.5 to 0.5.
    pub fn weights(&self) -> (Vec<f32>, Vec<f32>) {
        let mut state = self.seed;
        let mut next = move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((word ^ (word >> 31)) >> 40) as f32 / (1u32 << 24) as f32 - 0.5
        };
        let table = (0..self.vocabulary * self.dimension).map(|_| next()).collect();
        (table, (0..self.dimension * self.dimension).map(|_| next()).collect())
    }
}

/// The bytes of the file.
pub fn small_model(model: &SmallModel) -> Vec<u8> {
    let (table, matrix) = model.weights();
    let [vocabulary, dimension] = [model.vocabulary as u64, model.dimension as u64];
    let mut graph = Message::default();
    let zero = Attribute { name: "axis", kind: INT, values: &[0] };
    let columns = Attribute { name: "axes", kind: INTS, values: &[1] };
    let drop = Attribute { name: "keepdims", kind: INT, values: &[0] };
    let keep = Attribute { name: "keepdims", kind: INT, values: &[1] };
    graph.message(1, &node("Gather", &["table", "ids"], "words", &[zero]));
    graph.message(1, &node("Unsqueeze", &["mask", "last_axis"], "present", &[]));
    graph.message(1, &node("Mul", &["words", "present"], "counted", &[]));
    graph.message(1, &node("ReduceSum", &["counted", "word_axis"], "sums", &[drop]));
    graph.message(1, &node("MatMul", &["sums", "matrix"], "mixed", &[]));
    graph.message(1, &node("Tanh", &["mixed"], "bounded", &[]));
    graph.message(1, &node("ReduceL2", &["bounded"], "lengths", &[columns, keep]));
    graph.message(1, &node("Div", &["bounded", "lengths"], "vectors", &[]));
    graph.bytes(2, b"small_model");
    graph.message(5, &floats("table", &[vocabulary, dimension], &table));
    graph.message(5, &floats("matrix", &[dimension, dimension], &matrix));
    graph.message(5, &whole_number("last_axis", 2));
    graph.message(5, &whole_number("word_axis", 1));
    graph.message(11, &value("ids", INT64, &[Side::Named("texts"), Side::Named("words")]));
    graph.message(11, &value("mask", FLOAT, &[Side::Named("texts"), Side::Named("words")]));
    graph.message(12, &value("vectors", FLOAT, &[Side::Named("texts"), Side::Of(dimension)]));
    let mut operators = Message::default();
    operators.bytes(1, b"");
    operators.number(2, 13);
    let mut file = Message::default();
    file.number(1, 8);
    file.bytes(2, b"hypostyle");
    file.message(7, &graph);
    file.message(8, &operators);
    file.0
}

/// A message of Protocol Buffers on its way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn message(&mut self, field: u64, value: &Message) {
        self.bytes(field, &value.0);
    }
}

/// A setting of an operator: one whole number or a list of them.
struct Attribute<'a> {
    name: &'a str,
    kind: u64,
    values: &'a [u64],
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Attribute<'_>]) -> Message {
    let mut node = Message::default();
    inputs.iter().for_each(|input| node.bytes(1, input.as_bytes()));
    node.bytes(2, output.as_bytes());
    node.bytes(3, output.as_bytes());
    node.bytes(4, operator.as_bytes());
    for attribute in attributes {
        let mut message = Message::default();
        message.bytes(1, attribute.name.as_bytes());
        let field = if attribute.kind == INT { 3 } else { 8 };
        attribute.values.iter().for_each(|value| message.number(field, *value));
        message.number(20, attribute.kind);
        node.message(5, &message);
    }
    node
}

fn floats(name: &str, shape: &[u64], values: &[f32]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    tensor(name, FLOAT, shape, &bytes)
}

fn whole_number(name: &str, value: u64) -> Message {
    tensor(name, INT64, &[1], &value.to_le_bytes())
}

fn tensor(name: &str, kind: u64, shape: &[u64], values: &[u8]) -> Message {
    let mut tensor = Message::default();
    shape.iter().for_each(|side| tensor.number(1, *side));
    tensor.number(2, kind);
    tensor.bytes(8, name.as_bytes());
    tensor.bytes(9, values);
    tensor
}

/// A side of a shape.
enum Side {
    /// As many as there are.
    Named(&'static str),
    /// So many.
    Of(u64),
}

fn value(name: &str, kind: u64, shape: &[Side]) -> Message {
    let mut sides = Message::default();
    for side in shape {
        let mut message = Message::default();
        match side {
            Side::Named(name) => message.bytes(2, name.as_bytes()),
            Side::Of(size) => message.number(1, *size),
        }
        sides.message(1, &message);
    }
    let mut tensor = Message::default();
    tensor.number(1, kind);
    tensor.message(2, &sides);
    let mut data_type = Message::default();
    data_type.message(1, &tensor);
    let mut value = Message::default();
    value.bytes(1, name.as_bytes());
    value.message(2, &data_type);
    value
}
