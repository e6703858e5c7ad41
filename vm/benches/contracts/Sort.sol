// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

abstract contract Sort {
    /// Words that look random.
    function shuffled(uint256 size) internal pure returns (uint256[] memory words) {
        words = new uint256[](size);
        uint256 x = 1;
        unchecked {
            for (uint256 i = 0; i < size; i++) {
                x = x * 0x5851f42d4c957f2d14057b7ef767814f5851f42d4c957f2d14057b7ef767814d + 0x14057b7ef767814f;
                words[i] = x;
            }
        }
    }

    /// A sum that depends on every place; reverts unless the words are in order.
    function checksum(uint256[] memory words) internal pure returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < words.length; i++) {
                require(i == 0 || words[i - 1] <= words[i], "order");
                sum += words[i] * (i + 1);
            }
        }
    }
}

/// Hoare's quicksort of 2,500 words in memory, with checked arithmetic.
/// @title sort-quick
contract QuickSort is Sort {
    function Benchmark() external pure returns (uint256) {
        uint256[] memory words = shuffled(2500);
        sort(words, 0, words.length - 1);
        return checksum(words);
    }

    function sort(uint256[] memory words, uint256 low, uint256 high) private pure {
        while (low < high) {
            uint256 middle = partition(words, low, high);
            sort(words, low, middle);
            low = middle + 1;
        }
    }

    function partition(uint256[] memory words, uint256 low, uint256 high) private pure returns (uint256) {
        uint256 pivot = words[low + (high - low) / 2];
        for (; ; (low, high) = (low + 1, high - 1)) {
            while (words[low] < pivot) low++;
            while (words[high] > pivot) high--;
            if (low >= high) break;
            (words[low], words[high]) = (words[high], words[low]);
        }
        return high;
    }
}

/// Bottom-up merge sort of 2,000 words between two arrays in memory, with checked arithmetic.
/// @title sort-merge
contract MergeSort is Sort {
    function Benchmark() external pure returns (uint256) {
        uint256[] memory words = shuffled(2000);
        uint256[] memory other = new uint256[](words.length);
        for (uint256 width = 1; width < words.length; width *= 2) {
            for (uint256 start = 0; start < words.length; start += 2 * width) {
                merge(words, other, start, width);
            }
            (words, other) = (other, words);
        }
        return checksum(words);
    }

    function merge(uint256[] memory from, uint256[] memory to, uint256 start, uint256 width) private pure {
        uint256 middle = min(start + width, from.length);
        uint256 end = min(middle + width, from.length);
        uint256 left = start;
        uint256 right = middle;
        for (uint256 i = start; i < end; i++) {
            if (right == end || (left < middle && from[left] <= from[right])) to[i] = from[left++];
            else to[i] = from[right++];
        }
    }

    function min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
