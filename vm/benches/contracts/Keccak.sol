// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// 20,000 hashes of 32 bytes.
/// @title keccak32-20k
contract Hashes {
    function Benchmark() external pure returns (bytes32 h) {
        for (uint256 i = 0; i < 20000; i++) h = keccak256(abi.encodePacked(i));
    }
}

/// 2,000 hashes of 1,024 bytes, each fed into the next.
/// @title keccak1k-2k
contract HashChain1K {
    function Benchmark() external pure returns (bytes32 h) {
        bytes memory b = new bytes(1024);
        for (uint256 i = 0; i < 2000; i++) {
            h = keccak256(b);
            assembly {
                mstore(add(b, 32), h)
            }
        }
    }
}
