// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// A small contract with a number of its own.
contract Child {
    uint256 private immutable number;

    constructor(uint256 number_) {
        number = number_;
    }

    function value(uint256 x) external view returns (uint256) {
        unchecked {
            return x * 31 + number;
        }
    }
}

/// Contracts made by CREATE, each called once.
/// @title create
contract CreateLoop {
    function Benchmark() external returns (uint256 sum) {
        for (uint256 i = 0; i < 160; i++) {
            Child child = new Child(i * i);
            sum = child.value(sum);
        }
    }
}

/// Minimal proxies (EIP-1167) made by CREATE2, each called once.
/// @title create2-clones
contract CloneLoop {
    Child private immutable original = new Child(7);
    uint256 private clones;

    function Benchmark() external returns (uint256 sum) {
        for (uint256 i = 0; i < 200; i++) {
            Child child = Child(clone(address(original), clones++));
            sum = child.value(sum + i);
        }
    }

    function clone(address target, uint256 salt) private returns (address copy) {
        bytes memory code = abi.encodePacked(
            hex"3d602d80600a3d3981f3363d3d373d3d3d363d73", target, hex"5af43d82803e903d91602b57fd5bf3"
        );
        assembly {
            copy := create2(0, add(code, 32), mload(code), salt)
        }
        require(copy != address(0), "no clone");
    }
}
