//! Arc tangent (of one and of two arguments), arc sine and arc cosine.
//!
//! `atan`: the ratio y / x of two sizes is brought below tan(pi/8) by one of three rotations: none, by pi/4
//! (t = (y - x) / (y + x)) or by pi/2 (t = -x / y); the quotient t is corrected for its own rounding, and
//! atan t = t + t^3 A(t^2). `asin`: x + x^3 B(x^2) up to one half; beyond, pi/2 - 2 asin(sqrt((1 - x) / 2)), with the
//! square root corrected for its own rounding. `acos` likewise, without the subtraction where it would cancel.

use super::exact::{canonical, fast_two_sum, polynomial, select, two_product, two_sum, with_sign_of};

/// A(z) = (atan t - t) / t^3 with z = t^2, on |t| <= tan(pi/8) (fit error 2^-64).
const ARC_TANGENT: [f64; 12] = [
    -0.33333333333333326,
    0.1999999999999767,
    -0.14285714285388154,
    0.1111111108818612,
    -0.09090908144806095,
    0.07692282764502409,
    -0.06666226837984164,
    0.05877022536990762,
    -0.05218408840598696,
    0.04503566339245455,
    -0.03347482376029651,
    0.015195499116711138,
];

/// B(z) = (asin t - t) / t^3 with z = t^2, on |t| <= 1/2 (fit error 2^-60).
const ARC_SINE: [f64; 13] = [
    0.16666666666666763,
    0.0749999999997009,
    0.04464285717529206,
    0.0303819426750329,
    0.022372215911955436,
    0.017351595405296905,
    0.01398101952406468,
    0.011397286035534604,
    0.010789355143908514,
    0.003672074337488536,
    0.021790878742775573,
    -0.021116999565783934,
    0.03270231081722775,
];

const PI: (f64, f64) = (std::f64::consts::PI, 1.2246467991473532e-16);
const HALF_PI: (f64, f64) = (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17);
const QUARTER_PI: (f64, f64) = (std::f64::consts::FRAC_PI_4, 3.061616997868383e-17);

const TANGENT_OF_EIGHTH_PI: f64 = 0.41421356237309503;
const TANGENT_OF_THREE_EIGHTHS_PI: f64 = 2.414213562373095;

/// atan(y / x) for y, x >= 0 of moderate size, as a leading part and a small rest.
#[inline(always)]
fn arc_tangent_of_ratio(y: f64, x: f64) -> (f64, f64) {
    let near = y < TANGENT_OF_EIGHTH_PI * x;
    let far = y > TANGENT_OF_THREE_EIGHTHS_PI * x;
    let (difference, difference_rest) = two_sum(y, -x);
    let (sum, sum_rest) = two_sum(y, x);
    let above = select(near, y, select(far, -x, difference));
    let above_rest = select(near | far, 0.0, difference_rest);
    let below = select(near, x, select(far, y, sum));
    let below_rest = select(near | far, 0.0, sum_rest);
    let base = select(near, 0.0, select(far, HALF_PI.0, QUARTER_PI.0));
    let base_rest = select(near, 0.0, select(far, HALF_PI.1, QUARTER_PI.1));

    let t = above / below;
    let (product, error) = two_product(t, below);
    let missing = (((above - product) - error) + (above_rest - t * below_rest)) / below;
    let square = t * t;
    // The derivative of atan is 1 / (1 + t^2); a few bits of it serve.
    let rest = t * square * polynomial(square, &ARC_TANGENT) + missing * (1.0 - square * (1.0 - square));
    let (sum, sum_rest) = fast_two_sum(base, t);
    fast_two_sum(sum, sum_rest + (rest + base_rest))
}

#[inline(always)]
fn arc_tangent(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    // Beyond 2^60 the result is pi/2, below 2^-30 it is x, to the last bit.
    let bounded = select(size > 1e18, 1e18, size);
    let bounded = select(size < 1e-9, 1e-9, bounded);
    let (value, rest) = arc_tangent_of_ratio(bounded, 1.0);
    let value = select(size < 1e-9, size, value + rest);
    canonical(select(x.is_nan(), x, with_sign_of(value, x)))
}

/// The angle of the point (`x`, `y`) seen from the origin, in [-pi, pi], within 1 ulp; signed zeros and infinities follow
/// IEEE 754.
#[inline]
pub fn atan2_one(y: f64, x: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        return f64::NAN;
    }
    let (height, width) = (y.abs(), x.abs());
    let (value, rest) = if height == width {
        if height == 0.0 { (0.0, 0.0) } else { QUARTER_PI }
    } else if width == 0.0 || height.is_infinite() {
        HALF_PI
    } else if height == 0.0 || width.is_infinite() {
        (0.0, 0.0)
    } else {
        arc_tangent_of_sizes(height, width)
    };
    let angle = if x.is_sign_negative() {
        let (difference, error) = fast_two_sum(PI.0, -value);
        difference + (error + (PI.1 - rest))
    } else {
        value + rest
    };
    angle.copysign(y)
}

/// atan(height / width) of two different positive finite sizes.
fn arc_tangent_of_sizes(height: f64, width: f64) -> (f64, f64) {
    let larger = height.max(width);
    // Away from both ends of the range, the products inside neither overflow nor lose their errors.
    let scale = if larger > 2f64.powi(1000) {
        2f64.powi(-100)
    } else if larger < 2f64.powi(-800) {
        2f64.powi(200)
    } else {
        1.0
    };
    let (scaled_height, scaled_width) = (height * scale, width * scale);
    if scaled_height < scaled_width * 2f64.powi(-40) {
        (height / width, 0.0)
    } else if scaled_width < scaled_height * 2f64.powi(-70) {
        HALF_PI
    } else {
        arc_tangent_of_ratio(scaled_height, scaled_width)
    }
}

at_each_level! {
    /// [`atan2_one`] of every pair.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn atan2 / atan2_at(y: &[f64], x: &[f64], output: &mut [f64]) {
        assert_eq!(y.len(), output.len());
        assert_eq!(x.len(), output.len());
        for ((result, &y), &x) in output.iter_mut().zip(y).zip(x) {
            *result = atan2_one(y, x);
        }
    }
}

/// asin t as t and a small rest, for |t| <= 1/2.
#[inline(always)]
fn arc_sine_rest(t: f64, square: f64) -> f64 {
    t * square * polynomial(square, &ARC_SINE)
}

/// sqrt((1 - size) / 2) with the rest that its rounding leaves, and its square, for a size of at least one half.
#[inline(always)]
fn root_of_complement(size: f64) -> (f64, f64, f64) {
    let square = (1.0 - size) * 0.5;
    let root = square.sqrt();
    let (product, error) = two_product(root, root);
    let rest = ((square - product) - error) / (root + root);
    (root, select(square > 0.0, rest, 0.0), square)
}

#[inline(always)]
fn arc_sine(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let inner = size + arc_sine_rest(size, size * size);
    let (root, root_rest, square) = root_of_complement(size);
    let (difference, difference_rest) = fast_two_sum(HALF_PI.0, -2.0 * root);
    let outer =
        difference + (difference_rest + (HALF_PI.1 - 2.0 * (root_rest + arc_sine_rest(root, square))));
    let value = select(size <= 0.5, inner, outer);
    canonical(select(size <= 1.0, with_sign_of(value, x), f64::NAN))
}

#[inline(always)]
fn arc_cosine(x: f64) -> f64 {
    let size = with_sign_of(x, 1.0);
    let (difference, difference_rest) = fast_two_sum(HALF_PI.0, -x);
    let inner = difference + (difference_rest + (HALF_PI.1 - arc_sine_rest(x, x * x)));
    let (root, root_rest, square) = root_of_complement(size);
    let rest = root_rest + arc_sine_rest(root, square);
    let right = 2.0 * (root + rest);
    let (difference, difference_rest) = fast_two_sum(PI.0, -2.0 * root);
    let left = difference + (difference_rest + (PI.1 - 2.0 * rest));
    let value = select(size <= 0.5, inner, select(x > 0.0, right, left));
    canonical(select(size <= 1.0, value, f64::NAN))
}

unary_faces!(0.8, "arc tangent", arc_tangent, atan, atan_at, atan_one, atan_f32, atan_f32_at, atan_f32_one);
unary_faces!(0.8, "arc sine", arc_sine, asin, asin_at, asin_one, asin_f32, asin_f32_at, asin_f32_one);
unary_faces!(0.8, "arc cosine", arc_cosine, acos, acos_at, acos_one, acos_f32, acos_f32_at, acos_f32_one);
