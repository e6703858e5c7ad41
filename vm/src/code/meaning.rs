//! What instructions and operations mean: which is which, what has an effect, and what constants give.

use alloy_primitives::U256;

use super::OpKind;
use crate::{opcode, word};

/// Whether an operation has no effect but its result, and cannot fail.
pub(super) fn is_pure(code: OpKind) -> bool {
    use OpKind::*;
    matches!(
        code,
        Add | Mul
            | Sub
            | Div
            | SDiv
            | Mod
            | SMod
            | SignExtend
            | Lt
            | Slt
            | Eq
            | And
            | Or
            | Xor
            | Byte
            | Shl
            | Shr
            | Sar
            | AddMod
            | MulMod
            | IsZero
            | Not
            | Clz
            | CallDataLoad
            | Environment
            | CallDataSize
            | ReturnDataSize
            | Gas
            | Literal
    )
}

/// Instructions that read a word of block, transaction or frame.
pub(super) fn is_environment(byte: u8) -> bool {
    use opcode as op;
    matches!(
        byte,
        op::ADDRESS | op::ORIGIN | op::CALLER | op::CALLVALUE | op::GASPRICE | op::COINBASE
            ..=op::CHAINID | op::BASEFEE | op::BLOBBASEFEE
    )
}

/// Instructions that end a block: the operation that does it.
pub(super) fn ending(byte: u8) -> Option<OpKind> {
    use opcode as op;
    Some(match byte {
        op::STOP => OpKind::Stop,
        op::JUMP => OpKind::Jump,
        op::JUMPI => OpKind::JumpIf,
        op::RETURN => OpKind::Return,
        op::REVERT => OpKind::Revert,
        op::SELFDESTRUCT => OpKind::SelfDestruct,
        op::CALL => OpKind::Call,
        op::CALLCODE => OpKind::CallCode,
        op::DELEGATECALL => OpKind::DelegateCall,
        op::STATICCALL => OpKind::StaticCall,
        op::CREATE => OpKind::Create,
        op::CREATE2 => OpKind::Create2,
        _ => return None,
    })
}

/// Whether an operation begins another frame.
pub(super) fn is_call(code: OpKind) -> bool {
    use OpKind::*;
    matches!(
        code,
        Call | CallCode | DelegateCall | StaticCall | Create | Create2
    )
}

/// Whether the operation of an instruction takes its operands the other way round.
pub(super) fn is_reversed(byte: u8) -> bool {
    matches!(byte, opcode::GT | opcode::SGT)
}

/// Instructions that become one operation with their operands: its code, and whether it has a result.
pub(super) fn computation(byte: u8) -> Option<(OpKind, bool)> {
    use opcode as op;
    let code = match byte {
        op::ADD => OpKind::Add,
        op::MUL => OpKind::Mul,
        op::SUB => OpKind::Sub,
        op::DIV => OpKind::Div,
        op::SDIV => OpKind::SDiv,
        op::MOD => OpKind::Mod,
        op::SMOD => OpKind::SMod,
        op::ADDMOD => OpKind::AddMod,
        op::MULMOD => OpKind::MulMod,
        op::EXP => OpKind::Exp,
        op::SIGNEXTEND => OpKind::SignExtend,
        op::LT | op::GT => OpKind::Lt,
        op::SLT | op::SGT => OpKind::Slt,
        op::EQ => OpKind::Eq,
        op::ISZERO => OpKind::IsZero,
        op::AND => OpKind::And,
        op::OR => OpKind::Or,
        op::XOR => OpKind::Xor,
        op::NOT => OpKind::Not,
        op::BYTE => OpKind::Byte,
        op::SHL => OpKind::Shl,
        op::SHR => OpKind::Shr,
        op::SAR => OpKind::Sar,
        op::CLZ => OpKind::Clz,
        op::KECCAK256 => OpKind::Keccak256,
        op::BALANCE => OpKind::Balance,
        op::CALLDATALOAD => OpKind::CallDataLoad,
        op::CALLDATASIZE => OpKind::CallDataSize,
        op::EXTCODESIZE => OpKind::ExtCodeSize,
        op::RETURNDATASIZE => OpKind::ReturnDataSize,
        op::EXTCODEHASH => OpKind::ExtCodeHash,
        op::BLOCKHASH => OpKind::BlockHash,
        op::SELFBALANCE => OpKind::SelfBalance,
        op::MLOAD => OpKind::MLoad,
        op::SLOAD => OpKind::SLoad,
        op::TLOAD => OpKind::TLoad,
        op::MSIZE => OpKind::MSize,
        op::GAS => OpKind::Gas,
        _ => return without_result(byte).map(|code| (code, false)),
    };
    Some((code, true))
}

/// Those of them that leave nothing on the stack.
fn without_result(byte: u8) -> Option<OpKind> {
    use opcode as op;
    Some(match byte {
        op::CALLDATACOPY => OpKind::CallDataCopy,
        op::CODECOPY => OpKind::CodeCopy,
        op::EXTCODECOPY => OpKind::ExtCodeCopy,
        op::RETURNDATACOPY => OpKind::ReturnDataCopy,
        op::MCOPY => OpKind::MCopy,
        op::MSTORE => OpKind::MStore,
        op::MSTORE8 => OpKind::MStore8,
        op::SSTORE => OpKind::SStore,
        op::TSTORE => OpKind::TStore,
        op::LOG0 => OpKind::Log0,
        op::LOG1 => OpKind::Log1,
        op::LOG2 => OpKind::Log2,
        op::LOG3 => OpKind::Log3,
        op::LOG4 => OpKind::Log4,
        _ => return None,
    })
}

/// The result of an operation on one constant.
pub(super) fn unary(code: OpKind, a: U256) -> Option<U256> {
    Some(match code {
        OpKind::IsZero => word::flag(word::is_zero(a)),
        OpKind::Not => !a,
        OpKind::Clz => word::clz(a),
        _ => return None,
    })
}

/// The result of an operation on two constants.
pub(super) fn binary(code: OpKind, a: U256, b: U256) -> Option<U256> {
    Some(match code {
        OpKind::Add => word::add(a, b),
        OpKind::Sub => word::sub(a, b),
        OpKind::Mul => word::mul(a, b),
        OpKind::And => a & b,
        OpKind::Or => a | b,
        OpKind::Xor => word::xor(a, b),
        OpKind::Lt => word::flag(word::lt(a, b)),
        OpKind::Slt => word::flag(word::slt(a, b)),
        OpKind::Eq => word::flag(word::eq(a, b)),
        OpKind::Byte => word::byte(a, b),
        OpKind::Shl => word::shl(a, b),
        OpKind::Shr => word::shr(a, b),
        OpKind::Sar => word::sar(a, b),
        OpKind::SignExtend => word::sign_extend(a, b),
        _ => return None,
    })
}
