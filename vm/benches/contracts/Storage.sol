// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// Slots of a mapping that are read, changed, cleared and set again; then half of them are cleared and a few are new.
/// @title storage-churn
contract StorageChurn {
    uint256 private constant SIZE = 200;

    mapping(uint256 => uint256) private slots;

    /// Clearing a slot that was empty before would cost 20,000 gas each time around, and leave little to measure.
    constructor() {
        for (uint256 i = 0; i < SIZE; i++) slots[i] = i + 1;
    }

    function Benchmark() external returns (uint256 sum) {
        unchecked {
            for (uint256 round = 1; round < 70; round++) {
                for (uint256 i = 0; i < SIZE; i++) {
                    uint256 value = slots[i];
                    sum = sum * 31 + value;
                    slots[i] = (i + round) % 5 == 0 ? 0 : value + slots[(i * 7 + round) % SIZE];
                }
            }
            for (uint256 i = 0; i < SIZE; i += 2) delete slots[i];
            for (uint256 i = 0; i < 50; i++) slots[sum ^ i] = sum;
        }
    }
}

/// Much the same in transient storage.
/// @title transient-churn
contract TransientChurn {
    function Benchmark() external returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < 500; i++) set(i, i + 1);
            for (uint256 round = 1; round < 50; round++) {
                for (uint256 i = 0; i < 500; i++) {
                    uint256 value = get(i);
                    sum = sum * 31 + value;
                    set(i, (i + round) % 5 == 0 ? 0 : value + get((i * 7 + round) % 500));
                }
            }
        }
    }

    function get(uint256 slot) private view returns (uint256 value) {
        assembly {
            value := tload(slot)
        }
    }

    function set(uint256 slot, uint256 value) private {
        assembly {
            tstore(slot, value)
        }
    }
}
