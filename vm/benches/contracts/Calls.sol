// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// Thirty descents through 300 frames, each with a write to storage on the way down.
/// @title call-deep
contract CallDeep {
    uint256 private frames;

    function Benchmark() external returns (uint256 sum) {
        for (uint256 i = 0; i < 30; i++) sum = this.descend(300, sum + i);
        sum ^= frames << 128;
    }

    function descend(uint256 depth, uint256 x) external returns (uint256) {
        unchecked {
            frames++;
            if (depth == 0) return x;
            return this.descend(depth - 1, x * 0x5851f42d4c957f2d + depth) ^ (x >> 3);
        }
    }
}

/// Someone to call.
contract Counter {
    uint256 private total;

    error TooMuch(uint256 total, uint256 value);

    function add(uint256 value) external returns (uint256) {
        unchecked {
            total += value;
        }
        return total;
    }

    function mix(uint256 a, uint256 b) external pure returns (uint256) {
        unchecked {
            return (a ^ (a >> 17)) * 0x5851f42d4c957f2d + b;
        }
    }

    /// Writes first, so that there is something to undo.
    function addOrFail(uint256 value) external returns (uint256) {
        total += value % 1000;
        if (value % 3 != 0) revert TooMuch(total, value);
        return total;
    }
}

/// Thousands of calls one frame deep: CALL and STATICCALL.
/// @title call-loop
contract CallLoop {
    Counter private immutable counter = new Counter();

    function Benchmark() external returns (uint256 x) {
        for (uint256 i = 0; i < 6000; i++) x = counter.mix(counter.add(x), i);
    }
}

/// Thousands of calls of which two in three write, then revert with an error that is caught.
/// @title call-revert
contract CallRevert {
    Counter private immutable counter = new Counter();

    function Benchmark() external returns (uint256 x) {
        x = type(uint256).max / 7;
        unchecked {
            for (uint256 i = 0; i < 6000; i++) {
                try counter.addOrFail(x >> 128) returns (uint256 total) {
                    x = x * 31 + total;
                } catch (bytes memory reason) {
                    x = x * 0x5851f42d4c957f2d14057b7ef767814f + uint256(keccak256(reason));
                }
            }
        }
    }
}

/// Calls through a proxy: a CALL and a DELEGATECALL that copy calldata and returned data.
/// @title call-proxy
contract CallProxy {
    Counter private immutable counter = Counter(address(new Proxy(address(new Counter()))));

    function Benchmark() external returns (uint256 x) {
        for (uint256 i = 0; i < 4000; i++) x = counter.mix(counter.add(x), i);
    }
}

/// Hands everything to another contract's code.
contract Proxy {
    address private immutable target;

    constructor(address target_) {
        target = target_;
    }

    fallback() external payable {
        address to = target;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), to, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }
}
