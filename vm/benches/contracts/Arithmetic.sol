// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// MULMOD and ADDMOD in a 254-bit field.
/// @title mulmod-50k
contract MulMod {
    function Benchmark() external pure returns (uint256 x) {
        uint256 p = 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47;
        x = 3;
        unchecked {
            for (uint256 i = 0; i < 50000; i++) {
                x = mulmod(x, x, p);
                x = addmod(x, i, p);
            }
        }
    }
}

/// DIV and MOD of a full word by divisors of two sizes.
/// @title div-50k
contract DivLoop {
    function Benchmark() external pure returns (uint256 x) {
        x = type(uint256).max - 5;
        uint256 acc;
        unchecked {
            for (uint256 i = 1; i < 50000; i++) {
                acc += (x / (i * 0x10000000000000000123)) ^ (x % (i * 0x1000000000000000000000000000000000123));
            }
        }
        x = acc;
    }
}

/// Three 64-bit random number generators: small values, multiplied, shifted and cut back to 64 bits.
/// @title arith64
contract Arith64 {
    function Benchmark() external pure returns (uint256) {
        uint64 seed;
        uint64 state = 88172645463325252;
        uint64 sum;
        unchecked {
            for (uint256 i = 0; i < 20000; i++) {
                seed += 0x9e3779b97f4a7c15;
                sum = sum * 6364136223846793005 + (mix(seed) ^ (state = shift(state)));
                if (sum % 3 == 0) sum -= uint64(i) / 7;
            }
        }
        return (uint256(state) << 64) | sum;
    }

    /// The output function of splitmix64.
    function mix(uint64 z) private pure returns (uint64) {
        unchecked {
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
            z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
            return z ^ (z >> 31);
        }
    }

    /// One step of xorshift64.
    function shift(uint64 x) private pure returns (uint64) {
        x ^= x << 13;
        x ^= x >> 7;
        return x ^ (x << 17);
    }
}

/// Population count, leading zeros (by bisection and by CLZ) and bit reversal of whole words.
/// @title bits
contract Bits {
    uint256 private constant M1 = type(uint256).max / 3; // 0101…
    uint256 private constant M2 = type(uint256).max / 5; // 0011…
    uint256 private constant M4 = type(uint256).max / 17; // 00001111…
    uint256 private constant ONES = type(uint256).max / 255; // 00000001…

    function Benchmark() external pure returns (uint256 sum) {
        uint256 x = M2 ^ ONES;
        unchecked {
            for (uint256 i = 0; i < 3000; i++) {
                x = (x * 0x5851f42d4c957f2d14057b7ef767814f5851f42d4c957f2d + 1) >> (x & 127);
                require(zeros(x) == clz(x));
                sum = (sum << 7) + (sum >> 3) + count(x) * 257 + zeros(x) + bitReverse(x);
            }
        }
    }

    function count(uint256 x) private pure returns (uint256) {
        unchecked {
            x -= (x >> 1) & M1;
            x = (x & M2) + ((x >> 2) & M2);
            x = (x + (x >> 4)) & M4;
            // Sixteen bytes at a time: a sum of all 32 could be 256, which is no byte.
            return (((x >> 128) * ONES) >> 248) + ((uint256(uint128(x)) * ONES) >> 248);
        }
    }

    function zeros(uint256 x) private pure returns (uint256 n) {
        if (x == 0) return 256;
        unchecked {
            for (uint256 width = 128; width != 0; width >>= 1) {
                if (x >> (256 - width) == 0) {
                    n += width;
                    x <<= width;
                }
            }
        }
    }

    function clz(uint256 x) private pure returns (uint256 n) {
        assembly {
            n := clz(x)
        }
    }

    /// Reverses the bits of each byte, then the bytes of each 64-bit lane.
    function bitReverse(uint256 x) private pure returns (uint256) {
        x = ((x & M1) << 1) | ((x >> 1) & M1);
        x = ((x & M2) << 2) | ((x >> 2) & M2);
        x = ((x & M4) << 4) | ((x >> 4) & M4);
        uint256 m8 = type(uint256).max / 257;
        x = ((x & m8) << 8) | ((x >> 8) & m8);
        uint256 m16 = type(uint256).max / 65537;
        x = ((x & m16) << 16) | ((x >> 16) & m16);
        uint256 m32 = type(uint256).max / 4294967297;
        return ((x & m32) << 32) | ((x >> 32) & m32);
    }
}
