// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// Streams words into memory that grows to 256 KiB, then over it again and again.
/// @title memory-fill
contract MemoryFill {
    function Benchmark() external pure returns (uint256 sum) {
        assembly {
            let start := mload(0x40)
            let end := add(start, 0x40000)
            for { let pass := 1 } lt(pass, 20) { pass := add(pass, 1) } {
                for { let at := start } lt(at, end) { at := add(at, 32) } { mstore(at, mul(at, pass)) }
                sum := xor(mul(sum, 31), mload(add(start, shl(5, pass))))
            }
            for { let at := start } lt(at, end) { at := add(at, 32) } { sum := add(mul(sum, 31), mload(at)) }
        }
    }
}

/// Copies words one by one and bytes one by one between two buffers.
/// @title memory-copy
contract MemoryCopy {
    function Benchmark() external pure returns (uint256 sum) {
        assembly {
            let from := mload(0x40)
            let to := add(from, 0x8000)
            for { let at := 0 } lt(at, 0x8000) { at := add(at, 32) } { mstore(add(from, at), not(mul(at, at))) }
            for { let pass := 0 } lt(pass, 60) { pass := add(pass, 1) } {
                for { let at := 0 } lt(at, 0x8000) { at := add(at, 32) } { mstore(add(to, at), mload(add(from, at))) }
                for { let at := 0 } lt(at, 0x200) { at := add(at, 1) } {
                    mstore8(add(to, at), byte(and(at, 31), mload(add(to, add(at, pass)))))
                }
                let swap := from
                from := to
                to := swap
            }
            sum := keccak256(from, 0x8000)
        }
    }
}

/// Slides overlapping blocks of 32 bytes to 32 KiB through memory by MCOPY.
/// @title mcopy
contract MCopy {
    function Benchmark() external pure returns (uint256 sum) {
        assembly {
            let start := mload(0x40)
            for { let at := 0 } lt(at, 0x8000) { at := add(at, 32) } { mstore(add(start, at), not(mul(at, at))) }
            for { let pass := 0 } lt(pass, 900) { pass := add(pass, 1) } {
                for { let size := 32 } lt(size, 0x8001) { size := shl(1, size) } {
                    mcopy(add(start, shl(3, pass)), add(start, size), size)
                    mcopy(add(start, size), start, size)
                }
                sum := xor(mul(sum, 31), mload(add(start, shl(5, pass))))
            }
            sum := xor(sum, keccak256(start, 0x10000))
        }
    }
}
