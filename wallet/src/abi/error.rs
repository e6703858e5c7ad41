//! What can be wrong with a signature, an argument or an answer.

use std::fmt;

use thiserror::Error;

use crate::{address::AddressError, amount::AmountError};

/// Why a contract cannot be called, or its answer not be read.
#[derive(Debug, Error)]
pub enum AbiError {
    /// Not the signature of a function or constructor.
    #[error("\"{text}\" is not the signature of a {what}; write for example \"{example}\"")]
    Signature {
        /// The text as given, shortened.
        text: String,
        /// What it should be.
        what: &'static str,
        /// One that is right.
        example: &'static str,
    },
    /// A signature names a type that does not exist.
    #[error(
        "\"{name}\" is not a type that contracts take; use address, bool, string, bytes, bytes1 to bytes32, uint8 to uint256 or int8 to int256, with [] for lists and (…) for structs"
    )]
    Type {
        /// The type as written.
        name: String,
    },
    /// Too many or too few arguments.
    #[error("{signature} takes {}, but {} given", arguments(*expected), were(*got))]
    Count {
        /// The signature.
        signature: String,
        /// Number of parameters.
        expected: usize,
        /// Number of arguments.
        got: usize,
    },
    /// An argument that its type cannot have.
    #[error("{place}: {error}")]
    Argument {
        /// Which argument.
        place: Place,
        /// What is wrong with it.
        error: Box<ValueError>,
    },
    /// The answer is not of the types that the signature names.
    #[error(
        "the answer of {got} bytes is not of the type {expected}; check what the signature says after \"returns\""
    )]
    Output {
        /// Types of the outputs.
        expected: String,
        /// Length of the answer.
        got: usize,
    },
}

impl AbiError {
    /// Whether another command line is needed, whatever the node says.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Output { .. } => false,
            Self::Argument { error, .. } => !matches!(**error, ValueError::Account(_)),
            _ => true,
        }
    }
}

fn arguments(number: usize) -> String {
    match number {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        more => format!("{more} arguments"),
    }
}

fn were(number: usize) -> String {
    match number {
        0 => "none was".to_owned(),
        1 => "1 was".to_owned(),
        more => format!("{more} were"),
    }
}

/// Where a value stands: `argument 2 (uint256[] amounts), element 3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the argument, from 1.
    pub argument: usize,
    /// Type and name of its parameter.
    pub parameter: String,
    /// Numbers of elements, from 1, from the outermost list inwards.
    pub elements: Vec<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            argument,
            parameter,
            elements,
        } = self;
        write!(f, "argument {argument} ({parameter})")?;
        elements
            .iter()
            .try_for_each(|element| write!(f, ", element {element}"))
    }
}

/// Why a text is no value of a type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ValueError {
    /// Neither digits nor an amount.
    #[error(
        "\"{text}\" is not a whole number; write for example 42, 1_000, 0x2a, or an amount with its unit such as 1.5cairn"
    )]
    Number {
        /// The text as given.
        text: String,
    },
    /// Larger or smaller than the type can be.
    #[error("{text} does not fit in {kind}, which goes from {min} to {max}")]
    Range {
        /// The text as given.
        text: String,
        /// The type.
        kind: String,
        /// Its smallest value.
        min: String,
        /// Its largest value.
        max: String,
    },
    /// An amount that is none.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Neither an address nor a name.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A name that no account has.
    #[error("{0}")]
    Account(String),
    /// Not `true` or `false`.
    #[error("\"{text}\" is neither true nor false")]
    Bool {
        /// The text as given.
        text: String,
    },
    /// Not bytes in hexadecimal.
    #[error(
        "\"{text}\" is not bytes in hexadecimal; write 0x and an even number of digits 0-9 and a-f"
    )]
    Hex {
        /// The text as given, shortened.
        text: String,
    },
    /// Bytes of another number than the type has.
    #[error("{kind} has {expected} bytes, but {got} were given")]
    Length {
        /// The type.
        kind: String,
        /// Number of bytes that it has.
        expected: usize,
        /// Number of bytes given.
        got: usize,
    },
    /// A list or struct with fewer elements than its type has.
    #[error("{kind} has {expected} elements, but {} given", were(*got))]
    TooFew {
        /// The type.
        kind: String,
        /// Number of elements that it has.
        expected: usize,
        /// Number of elements given.
        got: usize,
    },
    /// A list or struct with more elements than its type has.
    #[error("{kind} has {expected} elements, but more were given")]
    TooMany {
        /// The type.
        kind: String,
        /// Number of elements that it has.
        expected: usize,
    },
    /// A list does not begin, go on or end where it should.
    #[error("{mark} is missing {place}; {kind} is written like {example}")]
    Shape {
        /// What should come.
        mark: &'static str,
        /// Where.
        place: String,
        /// The type.
        kind: String,
        /// How a value of such a type looks.
        example: &'static str,
    },
    /// A string that begins with a quotation mark but is not one in JSON.
    #[error("a text in quotation marks ends with one and writes \" as \\\" and \\ as \\\\")]
    Quotes,
    /// Something follows the value.
    #[error("there is more after its end: \"{rest}\"")]
    More {
        /// What follows, shortened.
        rest: String,
    },
    /// Nothing where a value should be.
    #[error("a value is missing; an empty text is written as \"\"")]
    Missing,
}
