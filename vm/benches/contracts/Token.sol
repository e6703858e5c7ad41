// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// A plain ERC-20 token that anybody may mint.
contract Token {
    string public constant name = "Anchor";
    string public constant symbol = "ANC";
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        allowance[from][msg.sender] -= value;
        _transfer(from, to, value);
        return true;
    }

    function _mint(address to, uint256 value) internal {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function _transfer(address from, address to, uint256 value) internal {
        require(to != address(0));
        uint256 balance = balanceOf[from];
        require(balance >= value, "balance");
        unchecked {
            balanceOf[from] = balance - value;
        }
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/// 5,000 transfers between two holders.
/// @title erc20-transfer-loop
contract TransferLoop is Token {
    function Benchmark() external {
        _mint(msg.sender, 1e22);
        for (uint256 i = 0; i < 5000; i++) _transfer(msg.sender, address(1), i);
    }
}

/// 5,000 mints to one holder.
/// @title erc20-mint-loop
contract MintLoop is Token {
    function Benchmark() external {
        for (uint256 i = 0; i < 5000; i++) _mint(msg.sender, i);
    }
}

/// 5,000 mints to as many holders, each a fresh slot.
/// @title erc20-mint-many-loop
contract MintManyLoop is Token {
    function Benchmark() external {
        for (uint256 i = 0; i < 5000; i++) _mint(address(uint160(0x10000 + i)), 1 + i);
    }
}
