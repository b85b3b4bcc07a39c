//! Kernels of embeddings beyond products and distances: other element types, element-wise arithmetic, pooling, quantization.
//!
//! Every kernel fixes the order of its additions, so that bits do not depend on the CPU; see [`crate::kernel::embedding`].

pub mod bits;
pub mod clusters;
pub mod columns;
pub mod directions;
pub mod elementwise;
pub mod half_float;
pub mod half_measure;
pub mod int8;
pub mod nibble;
pub mod pool;
pub mod product_code;
pub mod projection;
pub mod rows;
