// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// What the functional tests deploy: a function for each thing that can go well or wrong.
///
/// `Probe.hex` beside it is the creation code: solc 0.8.37, optimizer with 200 runs, EVM version osaka,
/// no metadata hash (`"bytecodeHash": "none"`, `"appendCBOR": false`).
contract Probe {
    event Noted(address indexed from, uint256 indexed id, bytes32 indexed tag, string text);
    event Counted(uint256 value);

    error TooSmall(uint256 got, uint256 least);

    mapping(uint256 => string) public notes;
    uint256 public count;

    constructor(uint256 start) payable {
        require(start < 1000, "start too large");
        count = start;
        emit Counted(start);
    }

    function note(uint256 id, bytes32 tag, string calldata text) external {
        notes[id] = text;
        count += 1;
        emit Noted(msg.sender, id, tag, text);
    }

    /// Gives gas back.
    function forget(uint256 id) external {
        delete notes[id];
    }

    function countTo(uint256 end) external {
        for (uint256 value = 1; value <= end; value++) {
            emit Counted(value);
        }
    }

    function fail(uint256 how) external pure returns (uint256) {
        if (how == 1) revert("no reason to go on");
        if (how == 2) revert TooSmall(how, 3);
        if (how == 3) return how - 4;
        if (how == 4) assembly { invalid() }
        if (how == 5) while (true) {}
        revert();
    }

    /// Every level keeps a 64th of its gas (EIP-150), and the last one needs a lot.
    function nest(uint256 levels) external {
        if (levels == 0) {
            count = gasleft();
        } else {
            this.nest(levels - 1);
        }
    }

    /// Needs much more gas than it uses.
    function demand(uint256 gas) external {
        require(gasleft() >= gas, "not enough gas");
        count += 1;
    }

    /// Asks the precompile for signatures of native accounts.
    function signed(bytes32 key, bytes calldata signature, bytes32 digest) external view returns (bool) {
        (bool done, bytes memory answer) =
            address(0x00000000000000000000000000000000000Ed255).staticcall(bytes.concat(key, signature, digest));
        return done && answer.length == 32 && uint256(bytes32(answer)) == 1;
    }

    function childAt(bytes32 salt) external returns (address) {
        return address(new Child{salt: salt}());
    }
}

contract Child {
    uint256 public constant answer = 42;
}
