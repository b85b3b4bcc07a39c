//! The tokens of eight blocks at a time, for CPUs whose vectors hold a word of each: a page.
//!
//! A table gives for each byte its classes, a bit each, and these bits are turned from eight for each byte to a word for each class and block. All that
//! [`Tokens::take`] and [`super::scalar::Carry`] do with the words of one block is done here with those of eight; what a block leaves to the
//! next one moves from word to word.

use std::arch::x86_64::*;

use super::super::x86;
use super::{BLOCK, Tokens};

/// Blocks of a page.
const BLOCKS: usize = 8;

const QUOTE: usize = 0;
const BACKSLASH: usize = 1;
const BLANK: usize = 2;
const STRUCTURAL: usize = 3;
const DIGIT: usize = 4;
/// The digit 0, and what is no digit and stands for an escaped character besides quote and backslash.
const ZERO_OR_LETTER: usize = 5;
const POINT: usize = 6;
/// A control character, blanks among them.
const CONTROL: usize = 7;

/// The classes of each byte below 128, a bit each; the others have none.
const CLASSES: Aligned<[u8; 128]> = {
    let mut classes = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        classes[byte as usize] = match byte {
            b'"' => 1 << QUOTE,
            b'\\' => 1 << BACKSLASH,
            b' ' => 1 << BLANK,
            b'\t' | b'\n' | b'\r' => 1 << BLANK | 1 << CONTROL,
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1 << STRUCTURAL,
            b'0' => 1 << DIGIT | 1 << ZERO_OR_LETTER,
            b'1'..=b'9' => 1 << DIGIT,
            b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 1 << ZERO_OR_LETTER,
            b'.' => 1 << POINT,
            0..b' ' => 1 << CONTROL,
            _ => 0,
        };
        byte += 1;
    }
    Aligned(classes)
};

/// The numbers of bytes of a block, the eight of each word the other way round.
const TURNED: Aligned<[u8; BLOCK]> = {
    let mut numbers = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        numbers[at] = (at ^ 7) as u8;
        at += 1;
    }
    Aligned(numbers)
};

/// The numbers of the first bytes of all words, then of the second ones, and so on.
const BY_BYTE: Aligned<[u8; BLOCK]> = {
    let mut numbers = [0; BLOCK];
    let mut at = 0;
    while at < BLOCK {
        numbers[at] = (at % 8 * 8 + at / 8) as u8;
        at += 1;
    }
    Aligned(numbers)
};

#[repr(align(64))]
struct Aligned<T>(T);

/// A word of each block of a page.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Words([u64; BLOCKS]);

impl Words {
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(&self) -> __m512i {
        // SAFETY: these are the 64 bytes that are loaded.
        unsafe { _mm512_load_si512(self.0.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn of(vector: __m512i) -> Self {
        let mut words = Self([0; BLOCKS]);
        // SAFETY: these are the 64 bytes that are stored.
        unsafe { _mm512_store_si512(words.0.as_mut_ptr().cast(), vector) };
        words
    }
}

/// What a page leaves to the next one. Of vectors that are shifted, the last word is used.
struct Carry {
    /// True if the page ended inside a string.
    in_string: bool,
    /// True if there was a backslash.
    has_escapes: bool,
    /// Backslashes that are not escaped themselves.
    escaping: __m512i,
    scalar: __m512i,
    digit: __m512i,
    point: __m512i,
    leading_zero: __m512i,
    /// 1 if the last byte is a digit behind a point.
    fraction: u8,
    /// Digits, those in strings among them, and the last bytes of two in a row, four, eight and sixteen.
    runs: [__m512i; 5],
    /// Bits of bytes that cannot stand where they do.
    wrong: __m512i,
}

/// Where tokens begin in a page.
struct Starts {
    all: Words,
    /// Those of scalars.
    scalars: Words,
    /// True if there may be a whole number of more digits than a word holds for certain.
    has_long: bool,
}

impl Tokens {
    /// Finds the tokens as [`Tokens::find_by`] does.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) fn find_by_pages(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > super::TEXT_BYTES_MAX {
            return false;
        }
        self.begin(bytes.len());
        let none = _mm512_setzero_si512();
        let mut carry = Carry {
            in_string: false,
            has_escapes: false,
            escaping: none,
            scalar: none,
            digit: none,
            point: none,
            leading_zero: none,
            fraction: 0,
            runs: [none; 5],
            wrong: none,
        };
        for (number, page) in bytes.chunks(BLOCKS * BLOCK).enumerate() {
            if !self.take_page(bytes, page, number * BLOCKS, &mut carry) {
                return false;
            }
        }
        let ends_in_point = _mm512_movepi64_mask(carry.point) >> (BLOCKS - 1) != 0;
        let is_wrong =
            carry.in_string || ends_in_point || _mm512_test_epi64_mask(carry.wrong, carry.wrong) != 0;
        !is_wrong && self.tell_kinds(bytes, |block: &[u8; BLOCK]| x86::heads(block))
    }

    /// Takes in a page that begins with block `number`; false where a long number is not plain.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni,bmi1,bmi2,lzcnt,popcnt")]
    #[inline]
    fn take_page(&mut self, bytes: &[u8], held: &[u8], number: usize, carry: &mut Carry) -> bool {
        let (whole, rest) = held.as_chunks::<BLOCK>();
        let last = x86::rest(rest);
        let blocks = held.len().div_ceil(BLOCK).min(BLOCKS);
        let block_at = |at: usize| whole.get(at).unwrap_or(&last);
        // Behind the last block stand blanks.
        let mut rows = [_mm512_maskz_set1_epi64(1 << BLANK, -1); BLOCKS];
        for (at, row) in rows.iter_mut().enumerate().take(blocks) {
            *row = classes(block_at(at));
        }
        let page = by_class(rows);
        let Some(backslashes) = self.backslashes[number..].first_chunk_mut() else { return false };
        *backslashes = Words::of(page[BACKSLASH]).0;
        let Some(points) = self.points[number..].first_chunk_mut() else { return false };
        *points = Words::of(page[POINT]).0;
        let starts = carry.take(&page);
        self.has_escapes |= carry.has_escapes;
        if starts.has_long && !self.are_page_plain(bytes, &starts, number) {
            return false;
        }
        for at in 0..blocks {
            let (start, starts) = ((number + at) * BLOCK, starts.all.0[at]);
            if !self.list(block_at(at), starts, start, |room, block, starts, start| {
                x86::append(room, block, starts, start);
            }) {
                return false;
            }
        }
        true
    }

    /// [`Tokens::are_plain`] for each block of a page.
    #[inline(never)]
    fn are_page_plain(&self, bytes: &[u8], starts: &Starts, number: usize) -> bool {
        let mut blocks = (number..).zip(starts.scalars.0);
        blocks.all(|(number, starts)| self.are_plain(bytes, starts, number * BLOCK))
    }
}

impl Carry {
    /// Takes in what the bytes of a page are; where tokens begin.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn take(&mut self, page: &[__m512i; BLOCKS]) -> Starts {
        let blank = page[BLANK];
        let quote = _mm512_andnot_si512(self.escaped(page), page[QUOTE]);
        let in_string = self.in_string(quote);
        let control = _mm512_and_si512(page[CONTROL], or(in_string, not(blank)));
        self.wrong = or(self.wrong, control);
        let structural = _mm512_andnot_si512(in_string, page[STRUCTURAL]);
        let scalar = not(or(or(structural, blank), or(in_string, quote)));
        let (scalars, has_long) = self.scalars(scalar, page);
        let all = or(or(structural, _mm512_and_si512(quote, in_string)), scalars);
        Starts { all: Words::of(all), scalars: Words::of(scalars), has_long }
    }

    /// The bytes behind backslashes that are not escaped themselves.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn escaped(&mut self, page: &[__m512i; BLOCKS]) -> __m512i {
        let backslash = page[BACKSLASH];
        let mut escaped = behind::<1>(backslash, self.escaping);
        if _mm512_test_epi64_mask(backslash, escaped) != 0 {
            let is_escaped = _mm512_movepi64_mask(self.escaping) >> (BLOCKS - 1) != 0;
            escaped = escaped_in_rows(Words::of(backslash), is_escaped).load();
        }
        self.escaping = _mm512_andnot_si512(escaped, backslash);
        self.has_escapes |= _mm512_test_epi64_mask(backslash, backslash) != 0;
        let letter = _mm512_andnot_si512(page[DIGIT], page[ZERO_OR_LETTER]);
        let known = or(letter, or(page[QUOTE], backslash));
        self.wrong = or(self.wrong, _mm512_andnot_si512(known, escaped));
        escaped
    }

    /// From opening quotes to before the closing ones.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn in_string(&mut self, quote: __m512i) -> __m512i {
        let mut odd = _mm512_xor_si512(quote, _mm512_slli_epi64::<1>(quote));
        odd = _mm512_xor_si512(odd, _mm512_slli_epi64::<2>(odd));
        odd = _mm512_xor_si512(odd, _mm512_slli_epi64::<4>(odd));
        odd = _mm512_xor_si512(odd, _mm512_slli_epi64::<8>(odd));
        odd = _mm512_xor_si512(odd, _mm512_slli_epi64::<16>(odd));
        odd = _mm512_xor_si512(odd, _mm512_slli_epi64::<32>(odd));
        // The same again with a bit for each block, which says whether the number of its quotes is odd.
        let mut odd_blocks = _mm512_movepi64_mask(odd);
        odd_blocks ^= odd_blocks << 1;
        odd_blocks ^= odd_blocks << 2;
        odd_blocks ^= odd_blocks << 4;
        let before = (odd_blocks << 1) ^ u8::from(self.in_string).wrapping_neg();
        self.in_string ^= odd_blocks >> (BLOCKS - 1) != 0;
        _mm512_mask_xor_epi64(odd, before, odd, _mm512_set1_epi64(-1))
    }

    /// The first bytes of scalars, and whether there may be a long whole number; what is wrong with a number is as in
    /// [`super::scalar::Carry::take`].
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn scalars(&mut self, scalar: __m512i, page: &[__m512i; BLOCKS]) -> (__m512i, bool) {
        let digit = _mm512_and_si512(page[DIGIT], scalar);
        let point = _mm512_and_si512(page[POINT], scalar);
        let other = _mm512_andnot_si512(or(digit, point), scalar);
        let behind_digit = behind::<1>(digit, self.digit);
        let behind_point = behind::<1>(point, self.point);
        let starts = _mm512_andnot_si512(behind::<1>(scalar, self.scalar), scalar);
        let leading_zero = _mm512_and_si512(page[ZERO_OR_LETTER], starts);
        let carried = self.carried(behind_point, digit);
        let behind_fraction = or(not(behind_digit), _mm512_andnot_si512(digit, carried));
        let wrong = or(
            or(_mm512_and_si512(point, behind_fraction), _mm512_andnot_si512(digit, behind_point)),
            or(
                _mm512_and_si512(other, or(behind_digit, behind_point)),
                _mm512_and_si512(behind::<1>(leading_zero, self.leading_zero), digit),
            ),
        );
        self.wrong = or(self.wrong, wrong);
        let has_long = _mm512_test_epi64_mask(self.long_runs(page[DIGIT]), scalar) != 0;
        (self.scalar, self.digit, self.point, self.leading_zero) = (scalar, digit, point, leading_zero);
        (starts, has_long)
    }

    /// A carry that runs from the bytes behind points through their digits. It may end with a block that has nothing but digits, which
    /// are too many in any case.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn carried(&mut self, behind_point: __m512i, digit: __m512i) -> __m512i {
        let sum = _mm512_add_epi64(behind_point, digit);
        let goes_on = _mm512_cmplt_epu64_mask(sum, digit);
        let arrives = goes_on << 1 | self.fraction;
        self.fraction = goes_on >> (BLOCKS - 1);
        _mm512_mask_sub_epi64(sum, arrives, sum, _mm512_set1_epi64(-1))
    }

    /// The last bytes of more digits in a row than [`super::scalar::WHOLE_DIGITS_MAX`]: all of them stand in a string or none.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,gfni")]
    #[inline]
    fn long_runs(&mut self, digit: __m512i) -> __m512i {
        const MORE: i32 = super::scalar::WHOLE_DIGITS_MAX as i32 + 1 - 16;
        let [one, two, four, eight, sixteen] = self.runs;
        let runs_of_two = _mm512_and_si512(digit, behind::<1>(digit, one));
        let runs_of_four = _mm512_and_si512(runs_of_two, behind::<2>(runs_of_two, two));
        let runs_of_eight = _mm512_and_si512(runs_of_four, behind::<4>(runs_of_four, four));
        let runs_of_sixteen = _mm512_and_si512(runs_of_eight, behind::<8>(runs_of_eight, eight));
        self.runs = [digit, runs_of_two, runs_of_four, runs_of_eight, runs_of_sixteen];
        _mm512_and_si512(runs_of_sixteen, behind::<MORE>(runs_of_sixteen, sixteen))
    }
}

/// The classes of a block: for each class a word with a bit for each byte.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
#[inline]
fn classes(block: &[u8; BLOCK]) -> __m512i {
    // SAFETY: each has the 64 bytes that are loaded, and so has what stands behind the first 64 classes.
    let [bytes, low, high, turned, by_byte] = unsafe {
        [
            _mm512_loadu_si512(block.as_ptr().cast()),
            _mm512_load_si512(CLASSES.0.as_ptr().cast()),
            _mm512_load_si512(CLASSES.0.as_ptr().add(BLOCK).cast()),
            _mm512_load_si512(TURNED.0.as_ptr().cast()),
            _mm512_load_si512(BY_BYTE.0.as_ptr().cast()),
        ]
    };
    let bytes = _mm512_permutexvar_epi8(turned, bytes);
    let is_low = _mm512_testn_epi8_mask(bytes, _mm512_set1_epi8(-128));
    let classes = _mm512_maskz_permutex2var_epi8(is_low, low, bytes, high);
    // Of the eight bytes of a word, taken as the rows of a matrix from the last to the first, the columns.
    let columns =
        _mm512_gf2p8affine_epi64_epi8::<0>(_mm512_set1_epi64(0x8040_2010_0804_0201_u64 as i64), classes);
    _mm512_permutexvar_epi8(by_byte, columns)
}

/// The words of blocks turned to those of classes: a matrix of eight by eight words, the other way round.
#[target_feature(enable = "avx512f")]
#[inline]
fn by_class(rows: [__m512i; BLOCKS]) -> [__m512i; BLOCKS] {
    let halves = |at: usize| {
        let (first, second) = (rows[2 * at], rows[2 * at + 1]);
        [_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second)]
    };
    let pairs = [halves(0), halves(1), halves(2), halves(3)];
    // Quarters of two words each: those of even numbers of two vectors, and those of odd ones.
    let even = |left, right| _mm512_shuffle_i64x2::<0b10_00_10_00>(left, right);
    let odd = |left, right| _mm512_shuffle_i64x2::<0b11_01_11_01>(left, right);
    let columns = |half: usize| {
        let [first, second, third, fourth] = pairs.map(|pair| pair[half]);
        let (left, right) = (even(first, second), even(third, fourth));
        let (left_odd, right_odd) = (odd(first, second), odd(third, fourth));
        [even(left, right), even(left_odd, right_odd), odd(left, right), odd(left_odd, right_odd)]
    };
    let ([zero, two, four, six], [one, three, five, seven]) = (columns(0), columns(1));
    [zero, one, two, three, four, five, six, seven]
}

/// The bytes behind backslashes that are not escaped themselves, where some stand in rows.
#[inline(never)]
fn escaped_in_rows(backslash: Words, is_escaped: bool) -> Words {
    let mut escaped = Words([0; BLOCKS]);
    let mut carry = u64::from(is_escaped);
    for (&backslash, escaped) in backslash.0.iter().zip(&mut escaped.0) {
        *escaped = carry;
        let mut left = backslash & !carry;
        carry = 0;
        while left != 0 {
            let first = left & left.wrapping_neg();
            *escaped |= first << 1;
            carry = first >> (BLOCK - 1);
            left &= !(first | first << 1);
        }
    }
    escaped
}

#[target_feature(enable = "avx512f")]
#[inline]
fn or(left: __m512i, right: __m512i) -> __m512i {
    _mm512_or_si512(left, right)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn not(bits: __m512i) -> __m512i {
    _mm512_xor_si512(bits, _mm512_set1_epi64(-1))
}

/// The bits moved on by some places through the whole page, `before` being those of the page before.
#[target_feature(enable = "avx512f,avx512vbmi2")]
#[inline]
fn behind<const PLACES: i32>(bits: __m512i, before: __m512i) -> __m512i {
    _mm512_shldi_epi64::<PLACES>(bits, _mm512_alignr_epi64::<{ BLOCKS as i32 - 1 }>(bits, before))
}
