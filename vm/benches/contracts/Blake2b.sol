// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// BLAKE2b-512 (RFC 7693, no key) of 16 KiB: 128 compressions of 12 rounds, with 64-bit integers.
/// @title blake2b-16k
contract Blake2b {
    uint64 private constant BLOCKS = 128;

    function Benchmark() external pure returns (uint256) {
        uint64[10] memory sigma = schedule();
        uint64[8] memory h = initial();
        h[0] ^= 0x01010040; // a digest of 64 bytes, no key, no tree
        uint64[16] memory m;
        for (uint64 b = 1; b <= BLOCKS; b++) {
            for (uint64 i = 0; i < 16; i++) m[i] = b << (4 * i);
            compress(h, m, sigma, b * 128, b == BLOCKS);
        }
        uint256 high;
        uint256 low;
        for (uint256 i = 0; i < 4; i++) (high, low) = ((high << 64) | h[i], (low << 64) | h[i + 4]);
        return high ^ low;
    }

    function compress(uint64[8] memory h, uint64[16] memory m, uint64[10] memory sigma, uint64 length, bool last)
        private
        pure
    {
        uint64[8] memory iv = initial();
        uint64[16] memory v;
        for (uint256 i = 0; i < 8; i++) (v[i], v[i + 8]) = (h[i], iv[i]);
        v[12] ^= length;
        if (last) v[14] = ~v[14];
        for (uint256 i = 0; i < 12; i++) round(v, m, sigma[i % 10]);
        for (uint256 i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
    }

    /// Four columns, then four diagonals. The nibbles of `s` name the words of the message in order.
    function round(uint64[16] memory v, uint64[16] memory m, uint256 s) private pure {
        (v[0], v[4], v[8], v[12]) = mix(v[0], v[4], v[8], v[12], m[s >> 60], m[(s >> 56) & 15]);
        (v[1], v[5], v[9], v[13]) = mix(v[1], v[5], v[9], v[13], m[(s >> 52) & 15], m[(s >> 48) & 15]);
        (v[2], v[6], v[10], v[14]) = mix(v[2], v[6], v[10], v[14], m[(s >> 44) & 15], m[(s >> 40) & 15]);
        (v[3], v[7], v[11], v[15]) = mix(v[3], v[7], v[11], v[15], m[(s >> 36) & 15], m[(s >> 32) & 15]);
        (v[0], v[5], v[10], v[15]) = mix(v[0], v[5], v[10], v[15], m[(s >> 28) & 15], m[(s >> 24) & 15]);
        (v[1], v[6], v[11], v[12]) = mix(v[1], v[6], v[11], v[12], m[(s >> 20) & 15], m[(s >> 16) & 15]);
        (v[2], v[7], v[8], v[13]) = mix(v[2], v[7], v[8], v[13], m[(s >> 12) & 15], m[(s >> 8) & 15]);
        (v[3], v[4], v[9], v[14]) = mix(v[3], v[4], v[9], v[14], m[(s >> 4) & 15], m[s & 15]);
    }

    function mix(uint64 a, uint64 b, uint64 c, uint64 d, uint64 x, uint64 y)
        private
        pure
        returns (uint64, uint64, uint64, uint64)
    {
        unchecked {
            a = a + b + x;
            d = ror(d ^ a, 32);
            c = c + d;
            b = ror(b ^ c, 24);
            a = a + b + y;
            d = ror(d ^ a, 16);
            c = c + d;
            b = ror(b ^ c, 63);
        }
        return (a, b, c, d);
    }

    function ror(uint64 x, uint64 n) private pure returns (uint64) {
        unchecked {
            return (x >> n) | (x << (64 - n));
        }
    }

    function initial() private pure returns (uint64[8] memory) {
        return [
            0x6a09e667f3bcc908,
            0xbb67ae8584caa73b,
            0x3c6ef372fe94f82b,
            0xa54ff53a5f1d36f1,
            0x510e527fade682d1,
            0x9b05688c2b3e6c1f,
            0x1f83d9abfb41bd6b,
            0x5be0cd19137e2179
        ];
    }

    function schedule() private pure returns (uint64[10] memory) {
        return [
            0x0123456789abcdef,
            0xea489fd61c02b753,
            0xb8c052fdae367194,
            0x7931dcbe265a40f8,
            0x905724afe1bc683d,
            0x2c6a0b834d75fe19,
            0xc51fed4a0763928b,
            0xdb7ec13950f4862a,
            0x6fe9b308c2d714a5,
            0xa2847615fb9e3cd0
        ];
    }
}
