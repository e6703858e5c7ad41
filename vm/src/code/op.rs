//! What the interpreter runs: operations on slots in place of instructions on a stack.
//!
//! A stack machine moves values to where the next instruction expects them; about two in three
//! instructions do nothing else. The translation resolves them: an [`Op`] names the places of its
//! operands and of its result, relative to the top of the stack at the start of its block.

use super::leaders::Effort;
use crate::opcode;

/// What an [`Op`] does. The comment says which fields it reads: `dst`, `a`, `b`, and `more` (further
/// places) or `imm` (a number).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum OpKind {
    // Control.
    /// Start of a block. `imm`: static gas in the low half, program counter in the high half;
    /// `a`: items it needs; `b`: the greatest height above those at which nothing overflows; `dst`: opcode.
    Block,
    /// Go on at the operation `imm`, the start of a block.
    Goto,
    /// Go on at the program counter `imm`, where nothing was translated for good so far. `a`: [`Effort`], unless a
    /// leader is there, which has its own.
    GoOn,
    /// The block ends without a jump. `dst`: change of height, as for all that end a block.
    Fall,
    /// Jump to the place `a`. `dst`.
    Jump,
    /// Jump to `imm`. `dst`.
    JumpTo,
    /// Jump to the place `b` if `a` is not zero. `dst`.
    JumpIf,
    /// Jump to `imm` if `a` is not zero. `dst`.
    JumpToIf,
    /// … if `a` is zero.
    JumpToIfZero,
    /// … if a < b.
    JumpToIfLt,
    /// … unless a < b.
    JumpToIfNotLt,
    /// … if a < b as signed numbers.
    JumpToIfSlt,
    /// … unless a < b as signed numbers.
    JumpToIfNotSlt,
    /// … if a = b.
    JumpToIfEq,
    /// … unless a = b.
    JumpToIfNotEq,
    /// A jump that the code makes to where there is no JUMPDEST.
    BadJump,
    Stop,
    /// `a`: offset, `b`: length.
    Return,
    /// `a`: offset, `b`: length.
    Revert,
    /// An undefined instruction, or INVALID. `imm`: its byte.
    Invalid,
    /// `a`: who receives the balance.
    SelfDestruct,
    /// The operands of calls and creations are on top of the stack. `dst`.
    Call,
    CallCode,
    DelegateCall,
    StaticCall,
    Create,
    Create2,

    // dst ← a
    Move,
    /// dst ← the `imm`-th literal.
    Literal,
    /// dst ← `imm`.
    Small,
    /// a ↔ b
    Swap,

    // dst ← a ∘ b
    Add,
    Mul,
    Sub,
    Div,
    SDiv,
    Mod,
    SMod,
    Exp,
    SignExtend,
    Lt,
    Slt,
    Eq,
    And,
    Or,
    Xor,
    Byte,
    Shl,
    Shr,
    Sar,
    Keccak256,

    // dst ← a ∘ b ∘ more[0]
    AddMod,
    MulMod,

    // dst ← ∘ a
    IsZero,
    Not,
    Clz,
    Balance,
    CallDataLoad,
    ExtCodeSize,
    ExtCodeHash,
    BlockHash,
    MLoad,
    SLoad,
    TLoad,

    // dst ←
    /// One of the words that an instruction reads from the environment. `imm`: its byte.
    Environment,
    SelfBalance,
    CallDataSize,
    ReturnDataSize,
    MSize,
    /// `imm`: gas of the block's rest, which was charged already.
    Gas,

    // a, b, more
    CallDataCopy,
    CodeCopy,
    ReturnDataCopy,
    MCopy,
    ExtCodeCopy,
    MStore,
    MStore8,
    /// `imm`: as for [`OpKind::Gas`].
    SStore,
    TStore,
    Log0,
    Log1,
    Log2,
    Log3,
    Log4,
}

/// One operation. Sixteen bytes, so that four of them fill a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub code: OpKind,
    pub dst: u16,
    pub a: u16,
    pub b: u16,
    pub imm: u64,
}

impl Op {
    /// The start of the block at `pc`, whose first byte is `byte`, if any.
    pub(super) fn block(pc: usize, byte: Option<u8>, gas: u64, need: usize, growth: usize) -> Self {
        let room = STACK_LIMIT.checked_sub(need + growth);
        // Where there is no height at which the block runs, none is allowed.
        let (need, room) = room.map_or((STACK_LIMIT as u16 + 1, 0), |room| {
            (need as u16, room as u16)
        });
        Self {
            code: OpKind::Block,
            dst: u16::from(byte.unwrap_or(opcode::STOP)),
            a: need,
            b: room,
            imm: gas | (pc as u64) << 32,
        }
    }

    pub(super) fn goto(op: usize) -> Self {
        let (code, dst, imm) = (OpKind::Goto, ENTRY, op as u64);
        let (a, b) = (0, 0);
        Self {
            code,
            dst,
            a,
            b,
            imm,
        }
    }

    pub(super) fn go_on(pc: usize, effort: Effort) -> Self {
        let (code, dst, imm) = (OpKind::GoOn, ENTRY, pc as u64);
        let (a, b) = (effort as u16, 0);
        Self {
            code,
            dst,
            a,
            b,
            imm,
        }
    }

    /// With what effort it goes on.
    pub(super) fn effort(&self) -> Effort {
        if self.a == Effort::Plain as u16 {
            Effort::Plain
        } else {
            Effort::Thorough
        }
    }

    /// Places beyond the second are packed into `imm`, lowest first.
    pub fn more(&self, index: u32) -> u16 {
        (self.imm >> (16 * index)) as u16
    }
}

/// Places above this are constants: the index in the pool, plus this.
pub(crate) const CONSTANT: u16 = 0x8000;

/// The place of the first item above the stack as the block found it.
pub(crate) const ENTRY: u16 = 1024;

/// Set in `imm` of a jump whose target is still a program counter rather than an operation.
pub(crate) const UNRESOLVED: u64 = 1 << 63;

/// Height of the stack that nothing may pass.
const STACK_LIMIT: usize = 1024;

const _: () = assert!(STACK_LIMIT == ENTRY as usize && CONSTANT as usize > 2 * STACK_LIMIT);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_has_sixteen_bytes() {
        assert_eq!(size_of::<Op>(), 16);
    }
}
