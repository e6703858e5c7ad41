// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// SHA-1 (RFC 3174) of 8 KiB, with 32-bit integers.
/// @title sha1-8k
contract Sha1 {
    function Benchmark() external pure returns (uint256) {
        bytes memory message = new bytes(8192);
        for (uint256 i = 0; i < message.length; i += 32) {
            assembly {
                mstore(add(add(message, 32), i), mul(i, 0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef))
            }
        }
        return uint160(sha1(message));
    }

    function sha1(bytes memory message) private pure returns (bytes20) {
        uint256 zeros = (119 - (message.length % 64)) % 64;
        bytes memory padded = abi.encodePacked(message, hex"80", new bytes(zeros), uint64(message.length * 8));
        uint32[5] memory h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
        uint32[80] memory w;
        for (uint256 start = 0; start < padded.length; start += 64) {
            schedule(w, padded, start);
            compress(h, w);
        }
        return bytes20(abi.encodePacked(h[0], h[1], h[2], h[3], h[4]));
    }

    function schedule(uint32[80] memory w, bytes memory data, uint256 start) private pure {
        unchecked {
            for (uint256 t = 0; t < 16; t++) w[t] = word(data, start + 4 * t);
            for (uint256 t = 16; t < 80; t++) w[t] = rol(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        }
    }

    function compress(uint32[5] memory h, uint32[80] memory w) private pure {
        (uint32 a, uint32 b, uint32 c, uint32 d, uint32 e) = (h[0], h[1], h[2], h[3], h[4]);
        unchecked {
            for (uint256 t = 0; t < 80; t++) {
                uint32 next = rol(a, 5) + mix(t, b, c, d) + e + w[t];
                (e, d, c, b, a) = (d, c, rol(b, 30), a, next);
            }
            h[0] += a;
            h[1] += b;
            h[2] += c;
            h[3] += d;
            h[4] += e;
        }
    }

    /// The round's function plus its constant.
    function mix(uint256 t, uint32 b, uint32 c, uint32 d) private pure returns (uint32) {
        unchecked {
            if (t < 20) return ((b & c) | (~b & d)) + 0x5a827999;
            if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
            if (t < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
            return (b ^ c ^ d) + 0xca62c1d6;
        }
    }

    function rol(uint32 x, uint32 n) private pure returns (uint32) {
        unchecked {
            return (x << n) | (x >> (32 - n));
        }
    }

    function word(bytes memory data, uint256 offset) private pure returns (uint32 value) {
        assembly {
            value := shr(224, mload(add(add(data, 32), offset)))
        }
    }
}
