// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// Many functions whose arguments are dynamic: the dispatcher searches, the decoder checks, the encoder copies.
contract Desk {
    struct Order {
        uint128 price;
        uint64 amount;
        address owner;
        string note;
    }

    function one(uint256 a) external pure returns (uint256) {
        unchecked {
            return a * 31 + 1;
        }
    }

    function two(uint256 a, uint256 b) external pure returns (uint256) {
        unchecked {
            return (a ^ b) * 31;
        }
    }

    function flag(bool a, bool b) external pure returns (bool) {
        return a != b;
    }

    function cut(uint256 a) external pure returns (uint8, uint16, uint32, uint64) {
        return (uint8(a), uint16(a), uint32(a), uint64(a));
    }

    function pick(bytes4 a, bytes32 b) external pure returns (bytes32) {
        return b ^ a;
    }

    function owner(address a) external pure returns (address) {
        return address(uint160(a) + 1);
    }

    function total(uint256[] calldata values) external pure returns (uint256 sum) {
        unchecked {
            for (uint256 i = 0; i < values.length; i++) sum = sum * 31 + values[i];
        }
    }

    function flip(uint64[] memory values) external pure returns (uint64[] memory) {
        for (uint256 i = 0; i < values.length / 2; i++) {
            uint256 j = values.length - 1 - i;
            (values[i], values[j]) = (values[j], values[i]);
        }
        return values;
    }

    function cost(Order[] calldata orders) external pure returns (uint256 sum, string memory last) {
        for (uint256 i = 0; i < orders.length; i++) {
            sum += uint256(orders[i].price) * orders[i].amount + uint160(orders[i].owner) % 97;
            if (bytes(orders[i].note).length > 8) last = orders[i].note;
        }
    }

    function join(string[] calldata parts, string memory between) external pure returns (string memory all) {
        for (uint256 i = 0; i < parts.length; i++) all = string.concat(all, between, parts[i]);
    }

    function upper(string memory text) external pure returns (string memory) {
        bytes memory letters = bytes(text);
        for (uint256 i = 0; i < letters.length; i++) {
            if (letters[i] >= "a" && letters[i] <= "z") letters[i] = bytes1(uint8(letters[i]) - 32);
        }
        return text;
    }

    function trace(uint256[][] calldata matrix) external pure returns (uint256 sum) {
        for (uint256 i = 0; i < matrix.length; i++) sum += matrix[i][i];
    }

    /// Runs encoded calls on itself and returns what they returned.
    function batch(bytes[] calldata calls) external returns (bytes[] memory results) {
        results = new bytes[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (bool success, bytes memory result) = address(this).delegatecall(calls[i]);
            require(success, "call");
            results[i] = result;
        }
    }
}

/// Encodes batches of calls, has them dispatched, and encodes and hashes the results.
/// @title abi
contract AbiDispatch {
    Desk private immutable desk = new Desk();

    function Benchmark() external returns (uint256 sum) {
        for (uint256 i = 0; i < 90; i++) {
            bytes[] memory results = desk.batch(calls(sum));
            unchecked {
                sum = sum * 31 + uint256(keccak256(abi.encode(results)));
            }
        }
    }

    function calls(uint256 seed) private pure returns (bytes[] memory encoded) {
        encoded = new bytes[](12);
        encoded[0] = abi.encodeCall(Desk.one, (seed));
        encoded[1] = abi.encodeCall(Desk.two, (seed, 7));
        encoded[2] = abi.encodeCall(Desk.flag, (seed & 1 == 1, true));
        encoded[3] = abi.encodeCall(Desk.cut, (seed));
        encoded[4] = abi.encodeCall(Desk.pick, (bytes4(uint32(seed)), bytes32(seed)));
        encoded[5] = abi.encodeCall(Desk.owner, (address(uint160(seed >> 97))));
        encoded[6] = abi.encodeCall(Desk.total, (words(seed, 12)));
        encoded[7] = abi.encodeCall(Desk.flip, (halves(seed, 12)));
        encoded[8] = abi.encodeCall(Desk.cost, (orders(seed)));
        encoded[9] = abi.encodeCall(Desk.join, (notes(seed), ", "));
        encoded[10] = abi.encodeCall(Desk.upper, ("The quick brown fox jumps over the lazy dog"));
        encoded[11] = abi.encodeCall(Desk.trace, (matrix(seed)));
    }

    function words(uint256 seed, uint256 length) private pure returns (uint256[] memory list) {
        list = new uint256[](length);
        for (uint256 i = 0; i < length; i++) list[i] = (seed >> i) % 1e30;
    }

    function halves(uint256 seed, uint256 length) private pure returns (uint64[] memory list) {
        list = new uint64[](length);
        for (uint256 i = 0; i < length; i++) list[i] = uint64(seed >> (8 * i));
    }

    function orders(uint256 seed) private pure returns (Desk.Order[] memory list) {
        list = new Desk.Order[](4);
        for (uint256 i = 0; i < 4; i++) {
            uint256 bits = seed >> (16 * i);
            list[i] = Desk.Order(uint128(bits), uint64(bits >> 128), address(uint160(bits)), notes(bits)[i]);
        }
    }

    function notes(uint256 seed) private pure returns (string[] memory list) {
        list = new string[](4);
        list[0] = "north";
        list[1] = seed % 2 == 0 ? "south by southeast" : "south";
        list[2] = "a note of more than thirty-two bytes, as notes are";
        list[3] = "";
    }

    function matrix(uint256 seed) private pure returns (uint256[][] memory rows) {
        rows = new uint256[][](4);
        for (uint256 i = 0; i < 4; i++) rows[i] = words(seed + i, 4);
    }
}
