// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// Marches rays through a scene of three spheres above a floor; numbers are signed, with 18 decimals.
/// @title ray-march
contract RayMarch {
    int256 private constant ONE = 1e18;
    int256 private constant NEAR = 1e15;
    int256 private constant FAR = 20e18;

    struct Vector {
        int256 x;
        int256 y;
        int256 z;
    }

    function Benchmark() external pure returns (uint256 picture) {
        for (int256 row = 0; row < 7; row++) {
            for (int256 column = 0; column < 8; column++) {
                Vector memory ray = unit(Vector((column * 2 - 7) * 8e16, (6 - row * 2) * 8e16, ONE));
                unchecked {
                    picture = picture * 31 + uint256(march(ray));
                }
            }
        }
    }

    /// How far a ray gets from the origin, and how much light falls where it ends.
    function march(Vector memory ray) private pure returns (int256) {
        int256 depth = 0;
        for (uint256 step = 0; step < 32; step++) {
            int256 gap = distance(scale(ray, depth));
            if (gap < NEAR) return depth + light(scale(ray, depth));
            depth += gap;
            if (depth > FAR) break;
        }
        return FAR;
    }

    /// The slope of the distance toward the lamp.
    function light(Vector memory p) private pure returns (int256) {
        int256 h = 1e14;
        int256 here = distance(p);
        int256 x = distance(Vector(p.x + h, p.y, p.z)) - here;
        int256 y = distance(Vector(p.x, p.y + h, p.z)) - here;
        int256 z = distance(Vector(p.x, p.y, p.z + h)) - here;
        int256 slope = (x * 6e17 + y * 7e17 - z * 4e17) / h;
        return slope < 0 ? int256(0) : slope;
    }

    function distance(Vector memory p) private pure returns (int256) {
        int256 nearest = p.y + 2 * ONE;
        nearest = min(nearest, sphere(p, 0, 0, 6e18, 15e17));
        nearest = min(nearest, sphere(p, -25e17, -ONE, 7e18, ONE));
        return min(nearest, sphere(p, 2e18, ONE, 5e18, 7e17));
    }

    function sphere(Vector memory p, int256 x, int256 y, int256 z, int256 radius) private pure returns (int256) {
        return length(Vector(p.x - x, p.y - y, p.z - z)) - radius;
    }

    function length(Vector memory v) private pure returns (int256) {
        return root(v.x * v.x + v.y * v.y + v.z * v.z);
    }

    function unit(Vector memory v) private pure returns (Vector memory) {
        int256 size = length(v);
        return Vector((v.x * ONE) / size, (v.y * ONE) / size, (v.z * ONE) / size);
    }

    function scale(Vector memory v, int256 by) private pure returns (Vector memory) {
        return Vector((v.x * by) / ONE, (v.y * by) / ONE, (v.z * by) / ONE);
    }

    /// Newton's method from above: falls until it stands.
    function root(int256 square) private pure returns (int256) {
        int256 next = 8e18;
        int256 x = next + 1;
        while (next < x) {
            x = next;
            next = (x + square / x) / 2;
        }
        return x;
    }

    function min(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }
}
