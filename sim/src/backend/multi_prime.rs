//! RSA with a modulus of 32 primes (the multi-prime RSA of RFC 8017): any verifier takes its
//! signatures, and one costs microseconds instead of half a millisecond.
//!
//! The primes are small, so the modulus can be factored. That gives nothing away: the key of
//! the simulated services is public.

use ring::digest::{SHA256, digest};

/// The primes: 2^64 less these. They are the largest below it of which none is 1 more than a
/// multiple of the public exponent.
const BELOW: [u64; PRIMES] = [
    59, 83, 95, 179, 189, 257, 279, 323, 353, 363, 425, 453, 503, 743, 825, 843, 845, 897, 899,
    935, 945, 1023, 1025, 1077, 1079, 1235, 1275, 1323, 1379, 1469, 1475, 1487,
];
const PRIMES: usize = 32;
const EXPONENT: u64 = 65_537;
/// Of the modulus and of a signature, in bytes.
const LENGTH: usize = 256;
/// Before the digest in what is signed: the algorithm's name, in DER.
const SHA_256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Bits of the private exponent that are looked at together.
const WINDOW_BITS: usize = 4;
const WINDOW: usize = 1 << WINDOW_BITS;
/// The lowest parts of a padded message, which are its digest. What stands above is the same in
/// all.
const DIGEST: usize = 4;

/// A number below 2^2048, least significant part first.
type Wide = [u64; PRIMES];

/// The key.
pub struct MultiPrime {
    fields: Box<[Field; PRIMES]>,
    /// For each prime, the inverses of those before it, as factors of [`Field::times`].
    inverses: Vec<Vec<u64>>,
    modulus: Wide,
}

impl Default for MultiPrime {
    /// Computes the key from its primes.
    fn default() -> Self {
        let fields = Box::new(BELOW.map(|less| Field::new(less.wrapping_neg())));
        let inverses = fields.iter().enumerate().map(|(index, field)| {
            let before = fields[..index].iter();
            // Every prime is below the other's double.
            let inverse = |other: &Field| {
                field.factor(field.inverse(field.less(0, field.less(0, other.prime))))
            };
            before.map(inverse).collect()
        });
        let mut modulus = [0; PRIMES];
        modulus[0] = 1;
        for field in fields.iter() {
            multiply_add(&mut modulus, field.prime, 0);
        }
        Self {
            inverses: inverses.collect(),
            fields,
            modulus,
        }
    }
}

impl MultiPrime {
    /// The modulus, most significant byte first.
    pub fn modulus(&self) -> Vec<u8> {
        bytes(&self.modulus)
    }

    /// The public exponent, most significant byte first.
    pub fn exponent() -> Vec<u8> {
        vec![1, 0, 1]
    }

    /// Signs as RS256 does: PKCS#1 v1.5 with SHA-256.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let message = padded(digest(&SHA256, message).as_ref());
        // Chinese remainders: the power by each prime, then the one number that has them all, in
        // mixed radix.
        let mut digits: Vec<u64> = Vec::with_capacity(PRIMES);
        let powers = self.private_powers(&message);
        for ((field, inverses), power) in self.fields.iter().zip(&self.inverses).zip(powers) {
            let digit = digits
                .iter()
                .zip(inverses)
                .fold(power, |rest, (digit, inverse)| {
                    field.times(field.less(rest, *digit), *inverse)
                });
            digits.push(digit);
        }
        let mut signature = [0; PRIMES];
        for (field, digit) in self.fields.iter().zip(&digits).rev() {
            multiply_add(&mut signature, field.prime, *digit);
        }
        bytes(&signature)
    }

    /// `message` to the private exponent, by each prime, in windows of four bits. All primes step
    /// by step, so that the processor need not wait for one product before it begins the next.
    fn private_powers(&self, message: &Wide) -> Vec<u64> {
        let mut tables = [[0; WINDOW]; PRIMES];
        for (table, field) in tables.iter_mut().zip(self.fields.iter()) {
            table[0] = field.one;
            table[1] = field.factor(field.of_message(message));
        }
        for power in 2..WINDOW {
            for (table, field) in tables.iter_mut().zip(self.fields.iter()) {
                table[power] = field.times(table[power - 1], table[1]);
            }
        }
        let mut powers = [0; PRIMES];
        for (power, field) in powers.iter_mut().zip(self.fields.iter()) {
            *power = field.one;
        }
        for shift in (0..u64::BITS).step_by(WINDOW_BITS).rev() {
            for _ in 0..WINDOW_BITS {
                for (power, field) in powers.iter_mut().zip(self.fields.iter()) {
                    *power = field.times(*power, *power);
                }
            }
            for ((power, table), field) in powers.iter_mut().zip(&tables).zip(self.fields.iter()) {
                let bits = (field.private >> shift) as usize % WINDOW;
                *power = field.times(*power, table[bits]);
            }
        }
        let plain = |(field, power): (&Field, u64)| field.times(power, 1);
        self.fields.iter().zip(powers).map(plain).collect()
    }
}

/// The digest as PKCS#1 v1.5 pads it, as a number.
fn padded(digest: &[u8]) -> Wide {
    let mut message = [0xff; LENGTH];
    message[..2].copy_from_slice(&[0, 1]);
    let name = LENGTH - digest.len() - SHA_256.len();
    message[name - 1] = 0;
    message[name..name + SHA_256.len()].copy_from_slice(&SHA_256);
    message[LENGTH - digest.len()..].copy_from_slice(digest);
    let mut number = [0; PRIMES];
    for (part, bytes) in number.iter_mut().rev().zip(message.chunks_exact(8)) {
        *part = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    number
}

fn bytes(number: &Wide) -> Vec<u8> {
    number
        .iter()
        .rev()
        .flat_map(|part| part.to_be_bytes())
        .collect()
}

/// `number * factor + more`, which fits.
fn multiply_add(number: &mut Wide, factor: u64, more: u64) {
    let mut carry = u128::from(more);
    for part in number {
        let sum = u128::from(*part) * u128::from(factor) + carry;
        *part = low(sum);
        carry = sum >> 64;
    }
}

fn low(number: u128) -> u64 {
    (number & u128::from(u64::MAX)) as u64
}

/// Arithmetic modulo one prime above 2^63, with Montgomery's multiplication.
struct Field {
    prime: u64,
    /// The prime's inverse modulo 2^64.
    inverse: u64,
    /// 2^64 and 2^128 modulo the prime.
    one: u64,
    square: u64,
    /// The private exponent by this prime.
    private: u64,
    /// What is above the digest in every padded message, by this prime.
    padding: u64,
}

impl Field {
    fn new(prime: u64) -> Self {
        // Each step doubles the number of bits that are right; the first three always are.
        let step =
            |inverse: u64, _| inverse.wrapping_mul(2_u64.wrapping_sub(prime.wrapping_mul(inverse)));
        let one = prime.wrapping_neg();
        let mut field = Self {
            prime,
            inverse: (0..5).fold(prime, step),
            one,
            square: low(u128::from(one) * u128::from(one) % u128::from(prime)),
            private: private_exponent(prime),
            padding: 0,
        };
        field.padding = field.of_wide(&padded(&[0; 8 * DIGEST])[DIGEST..], 0);
        field
    }

    /// `a * b / 2^64`.
    fn times(&self, a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        let multiple = low(product).wrapping_mul(self.inverse);
        let (high, less) = (
            low(product >> 64),
            low((u128::from(multiple) * u128::from(self.prime)) >> 64),
        );
        self.difference(high, less)
    }

    /// `a - b`; `b` may be any number, `a` is below the prime.
    fn less(&self, a: u64, b: u64) -> u64 {
        let b = if b >= self.prime { b - self.prime } else { b };
        self.difference(a, b)
    }

    /// `a - b`; both are below the prime. Without a branch, which would be taken at random.
    fn difference(&self, a: u64, b: u64) -> u64 {
        let (difference, is_below) = a.overflowing_sub(b);
        difference.wrapping_add(self.prime & u64::from(is_below).wrapping_neg())
    }

    /// `number`, as what [`times`](Self::times) makes a plain product of.
    fn factor(&self, number: u64) -> u64 {
        self.times(number, self.square)
    }

    fn power(&self, base: u64, exponent: u64) -> u64 {
        let base = self.factor(base);
        let mut power = self.one;
        for bit in (0..u64::BITS).rev() {
            power = self.times(power, power);
            if exponent >> bit & 1 == 1 {
                power = self.times(power, base);
            }
        }
        self.times(power, 1)
    }

    fn inverse(&self, number: u64) -> u64 {
        self.power(number, self.prime - 2)
    }

    fn of_message(&self, message: &Wide) -> u64 {
        self.of_wide(&message[..DIGEST], self.padding)
    }

    /// `above`, followed by these parts of a number, least significant part first.
    fn of_wide(&self, parts: &[u64], above: u64) -> u64 {
        parts.iter().rev().fold(above, |rest, part| {
            // rest * 2^64 + part
            let part = self.less(0, *part);
            self.less(self.factor(rest), part)
        })
    }
}

/// The inverse of the public exponent, which is prime, modulo `prime` - 1.
fn private_exponent(prime: u64) -> u64 {
    let order = prime - 1;
    let base = order % EXPONENT;
    // To the power of 65,535, which has sixteen ones.
    let inverse = (1..16).fold(base, |power, _| {
        let square = power * power % EXPONENT;
        square * base % EXPONENT
    });
    let times = EXPONENT - inverse;
    let whole = u128::from(order) * u128::from(times) + 1;
    low(whole / u128::from(EXPONENT))
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;

    #[test]
    fn another_hand_verifies_the_signatures() {
        let key = MultiPrime::default();
        let public = RsaPublicKeyComponents {
            n: key.modulus(),
            e: MultiPrime::exponent(),
        };
        for number in 0..200 {
            let message = format!("message {number}");
            let signature = key.sign(message.as_bytes());
            let verified = |message: &str| {
                public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
            };
            assert!(verified(&message).is_ok(), "{message}");
            assert!(verified("another message").is_err());
        }
    }

    #[test]
    fn the_modulus_is_the_one_of_the_certificate() {
        let certificate = include_bytes!("../../../fixtures/keys/entra-signing-cert.der");
        let modulus = MultiPrime::default().modulus();
        assert!(certificate.windows(LENGTH).any(|part| part == modulus));
    }
}
