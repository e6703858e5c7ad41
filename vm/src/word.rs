//! Arithmetic on 256-bit words: one pure function per instruction that needs nothing else.
//!
//! Constant folding and execution share these functions. Most words that programs handle are small, so
//! multiplication and division look at the upper limbs first.

use alloy_primitives::U256;

/// 1 or 0.
#[inline(always)]
pub(crate) fn flag(value: bool) -> U256 {
    U256::from_limbs([u64::from(value), 0, 0, 0])
}

#[inline(always)]
pub(crate) fn is_zero(a: U256) -> bool {
    let [a0, a1, a2, a3] = *a.as_limbs();
    a0 | a1 | a2 | a3 == 0
}

#[inline(always)]
pub(crate) fn eq(a: U256, b: U256) -> bool {
    is_zero(xor(a, b))
}

#[inline(always)]
pub(crate) fn xor(a: U256, b: U256) -> U256 {
    a ^ b
}

/// The value as 64 bits, if it fits.
#[inline(always)]
pub(crate) fn small(a: U256) -> Option<u64> {
    let [low, a1, a2, a3] = *a.as_limbs();
    if a1 | a2 | a3 == 0 { Some(low) } else { None }
}

/// The value as 64 bits, or 2^64 − 1 if it does not fit.
#[inline(always)]
pub(crate) fn saturated(a: U256) -> u64 {
    small(a).unwrap_or(u64::MAX)
}

#[inline(always)]
pub(crate) fn add(a: U256, b: U256) -> U256 {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a.as_limbs(), *b.as_limbs());
    let (r0, carry) = a0.carrying_add(b0, false);
    let (r1, carry) = a1.carrying_add(b1, carry);
    let (r2, carry) = a2.carrying_add(b2, carry);
    let (r3, _) = a3.carrying_add(b3, carry);
    U256::from_limbs([r0, r1, r2, r3])
}

/// The difference, and whether it borrowed: a < b.
#[inline(always)]
fn borrowing_sub(a: U256, b: U256) -> (U256, bool) {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a.as_limbs(), *b.as_limbs());
    let (r0, borrow) = a0.borrowing_sub(b0, false);
    let (r1, borrow) = a1.borrowing_sub(b1, borrow);
    let (r2, borrow) = a2.borrowing_sub(b2, borrow);
    let (r3, borrow) = a3.borrowing_sub(b3, borrow);
    (U256::from_limbs([r0, r1, r2, r3]), borrow)
}

#[inline(always)]
pub(crate) fn sub(a: U256, b: U256) -> U256 {
    borrowing_sub(a, b).0
}

#[inline(always)]
pub(crate) fn lt(a: U256, b: U256) -> bool {
    borrowing_sub(a, b).1
}

/// Less than, both read as two's complement.
#[inline(always)]
pub(crate) fn slt(a: U256, b: U256) -> bool {
    lt(flip_sign(a), flip_sign(b))
}

/// Maps the order of signed words to that of unsigned ones.
#[inline(always)]
fn flip_sign(a: U256) -> U256 {
    let [a0, a1, a2, a3] = *a.as_limbs();
    U256::from_limbs([a0, a1, a2, a3 ^ (1 << 63)])
}

#[inline(always)]
fn is_negative(a: U256) -> bool {
    a.as_limbs()[3] >> 63 == 1
}

#[inline(always)]
fn negate(a: U256) -> U256 {
    sub(U256::ZERO, a)
}

#[inline(always)]
fn magnitude(a: U256) -> U256 {
    if is_negative(a) { negate(a) } else { a }
}

/// Splits a 128-bit number into limbs.
#[inline(always)]
fn from_u128(a: u128) -> U256 {
    U256::from_limbs([a as u64, (a >> 64) as u64, 0, 0])
}

#[inline(always)]
fn as_u128(a: U256) -> Option<u128> {
    let [a0, a1, a2, a3] = *a.as_limbs();
    if a2 | a3 == 0 {
        Some(u128::from(a1) << 64 | u128::from(a0))
    } else {
        None
    }
}

#[inline(always)]
pub(crate) fn mul(a: U256, b: U256) -> U256 {
    match (small(a), small(b)) {
        (Some(a), Some(b)) => from_u128(u128::from(a) * u128::from(b)),
        _ => mul_wide(a, b),
    }
}

/// Schoolbook, without the limbs that fall off.
#[inline(always)]
fn mul_wide(a: U256, b: U256) -> U256 {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (*a.as_limbs(), *b.as_limbs());
    let (r0, c) = a0.carrying_mul(b0, 0);
    let (r1, c) = a0.carrying_mul(b1, c);
    let (r2, c) = a0.carrying_mul(b2, c);
    let r3 = a0.wrapping_mul(b3).wrapping_add(c);
    let (r1, c) = a1.carrying_mul_add(b0, r1, 0);
    let (r2, c) = a1.carrying_mul_add(b1, r2, c);
    let r3 = a1.wrapping_mul(b2).wrapping_add(r3).wrapping_add(c);
    let (r2, c) = a2.carrying_mul_add(b0, r2, 0);
    let r3 = a2.wrapping_mul(b1).wrapping_add(r3).wrapping_add(c);
    let r3 = a3.wrapping_mul(b0).wrapping_add(r3);
    U256::from_limbs([r0, r1, r2, r3])
}

/// Quotient and remainder; both 0 if `b` is.
#[inline(always)]
fn div_rem(a: U256, b: U256) -> (U256, U256) {
    if let (Some(a), Some(b)) = (small(a), small(b)) {
        let quotient = a.checked_div(b).unwrap_or(0);
        let remainder = a.checked_rem(b).unwrap_or(0);
        return (U256::from(quotient), U256::from(remainder));
    }
    div_rem_wide(a, b)
}

#[inline(never)]
fn div_rem_wide(a: U256, b: U256) -> (U256, U256) {
    if is_zero(b) {
        return (U256::ZERO, U256::ZERO);
    }
    match (as_u128(a), as_u128(b)) {
        (Some(a), Some(b)) => (from_u128(a / b), from_u128(a % b)),
        _ => a.div_rem(b),
    }
}

#[inline(always)]
pub(crate) fn div(a: U256, b: U256) -> U256 {
    div_rem(a, b).0
}

#[inline(always)]
pub(crate) fn rem(a: U256, b: U256) -> U256 {
    div_rem(a, b).1
}

/// Signed division. −2^255 / −1 wraps to −2^255, as the Yellow Paper has it.
#[inline(always)]
pub(crate) fn sdiv(a: U256, b: U256) -> U256 {
    let quotient = div(magnitude(a), magnitude(b));
    if is_negative(a) != is_negative(b) {
        negate(quotient)
    } else {
        quotient
    }
}

/// Signed remainder: its sign is the dividend's.
#[inline(always)]
pub(crate) fn srem(a: U256, b: U256) -> U256 {
    let remainder = rem(magnitude(a), magnitude(b));
    if is_negative(a) {
        negate(remainder)
    } else {
        remainder
    }
}

#[inline(never)]
pub(crate) fn addmod(a: U256, b: U256, modulus: U256) -> U256 {
    if lt(a, modulus) && lt(b, modulus) {
        let gap = sub(modulus, a);
        return if lt(b, gap) { add(a, b) } else { sub(b, gap) };
    }
    a.add_mod(b, modulus)
}

#[inline(never)]
pub(crate) fn mulmod(a: U256, b: U256, modulus: U256) -> U256 {
    match (as_u128(a), as_u128(b), as_u128(modulus)) {
        (Some(a), Some(b), Some(m)) if (a | b) >> 64 == 0 && m != 0 => from_u128(a * b % m),
        _ => a.mul_mod(b, modulus),
    }
}

/// a to the power of b, modulo 2^256.
#[inline(never)]
pub(crate) fn exp(a: U256, b: U256) -> U256 {
    if a == U256::from(2) {
        return small(b)
            .filter(|b| *b < 256)
            .map_or(U256::ZERO, |b| U256::ONE << (b as usize));
    }
    let mut power = U256::ONE;
    for bit in (0..b.bit_len()).rev() {
        power = mul(power, power);
        if b.bit(bit) {
            power = mul(power, a);
        }
    }
    power
}

/// Extends the sign of the `byte`-th byte, counted from the lowest.
#[inline(always)]
pub(crate) fn sign_extend(byte: U256, a: U256) -> U256 {
    match small(byte) {
        Some(byte) if byte < 31 => {
            let unused = 248 - 8 * byte;
            sar(U256::from(unused), shl(U256::from(unused), a))
        }
        _ => a,
    }
}

/// The `index`-th byte, counted from the highest.
#[inline(always)]
pub(crate) fn byte(index: U256, a: U256) -> U256 {
    match small(index) {
        Some(index) if index < 32 => {
            let low = 31 - index;
            let limb = a.as_limbs()[((low >> 3) & 3) as usize];
            U256::from_limbs([limb >> ((low & 7) * 8) & 0xff, 0, 0, 0])
        }
        _ => U256::ZERO,
    }
}

#[inline(always)]
pub(crate) fn shl(bits: U256, a: U256) -> U256 {
    let Some(bits) = small(bits).filter(|bits| *bits < 256) else {
        return U256::ZERO;
    };
    let [a0, a1, a2, a3] = *a.as_limbs();
    let [a0, a1, a2, a3] = match bits >> 6 {
        0 => [a0, a1, a2, a3],
        1 => [0, a0, a1, a2],
        2 => [0, 0, a0, a1],
        _ => [0, 0, 0, a0],
    };
    let bits = bits as u32 & 63;
    // Two shifts, since one by 64 would not move anything.
    let over = |low: u64| low >> 1 >> (63 - bits);
    U256::from_limbs([
        a0 << bits,
        a1 << bits | over(a0),
        a2 << bits | over(a1),
        a3 << bits | over(a2),
    ])
}

#[inline(always)]
pub(crate) fn shr(bits: U256, a: U256) -> U256 {
    shift_right(bits, a, 0)
}

/// Shifts right; what moves in from above has the bits of `fill`.
#[inline(always)]
fn shift_right(bits: U256, a: U256, fill: u64) -> U256 {
    let Some(bits) = small(bits).filter(|bits| *bits < 256) else {
        return U256::from_limbs([fill; 4]);
    };
    let [a0, a1, a2, a3] = *a.as_limbs();
    let [a0, a1, a2, a3] = match bits >> 6 {
        0 => [a0, a1, a2, a3],
        1 => [a1, a2, a3, fill],
        2 => [a2, a3, fill, fill],
        _ => [a3, fill, fill, fill],
    };
    let bits = bits as u32 & 63;
    let over = |high: u64| high << 1 << (63 - bits);
    U256::from_limbs([
        a0 >> bits | over(a1),
        a1 >> bits | over(a2),
        a2 >> bits | over(a3),
        a3 >> bits | over(fill),
    ])
}

/// Arithmetic shift to the right.
#[inline(always)]
pub(crate) fn sar(bits: U256, a: U256) -> U256 {
    let fill = if is_negative(a) { u64::MAX } else { 0 };
    shift_right(bits, a, fill)
}

/// EIP-7939: "returns 256 if the input is zero", else the number of leading zero bits.
#[inline(always)]
pub(crate) fn clz(a: U256) -> U256 {
    U256::from(a.leading_zeros())
}
