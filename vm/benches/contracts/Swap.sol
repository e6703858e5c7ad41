// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

import "./Token.sol";

/// A market of two tokens whose product of reserves never falls, in the manner of Uniswap V2.
contract Pair {
    Token public immutable base;
    Token public immutable quote;
    mapping(address => uint256) public sharesOf;
    uint256 public totalShares;

    // One slot.
    uint112 private baseReserve;
    uint112 private quoteReserve;
    bool private busy;

    event Deposit(address indexed to, uint256 baseIn, uint256 quoteIn, uint256 shares);
    event Swap(address indexed by, uint256 baseIn, uint256 quoteIn, uint256 baseOut, uint256 quoteOut);
    event Reserves(uint112 base, uint112 quote);

    error Busy();
    error Underpaid(uint256 before, uint256 afterwards);

    modifier alone() {
        if (busy) revert Busy();
        busy = true;
        _;
        busy = false;
    }

    constructor(Token base_, Token quote_) {
        base = base_;
        quote = quote_;
    }

    function reserves() external view returns (uint112, uint112) {
        return (baseReserve, quoteReserve);
    }

    /// Takes what was transferred here since the last time, for shares of `to`.
    function deposit(address to) external alone returns (uint256 shares) {
        (uint256 baseNow, uint256 quoteNow) = balances();
        uint256 baseIn = baseNow - baseReserve;
        uint256 quoteIn = quoteNow - quoteReserve;
        if (totalShares == 0) shares = root(baseIn * quoteIn);
        else shares = ((root(baseNow * quoteNow) - root(uint256(baseReserve) * quoteReserve)) * totalShares)
            / root(uint256(baseReserve) * quoteReserve);
        require(shares > 0, "nothing in");
        totalShares += shares;
        sharesOf[to] += shares;
        update(baseNow, quoteNow);
        emit Deposit(to, baseIn, quoteIn, shares);
    }

    /// Pays out first; then what was transferred here, less a fee of 0.3 %, must hold the product.
    function swap(uint256 baseOut, uint256 quoteOut, address to) external alone {
        require(baseOut < baseReserve && quoteOut < quoteReserve, "reserves");
        if (baseOut > 0) base.transfer(to, baseOut);
        if (quoteOut > 0) quote.transfer(to, quoteOut);
        (uint256 baseNow, uint256 quoteNow) = balances();
        uint256 baseIn = paid(baseNow, baseReserve - baseOut);
        uint256 quoteIn = paid(quoteNow, quoteReserve - quoteOut);
        uint256 before = uint256(baseReserve) * quoteReserve * 1e6;
        uint256 afterwards = (baseNow * 1000 - baseIn * 3) * (quoteNow * 1000 - quoteIn * 3);
        if (afterwards < before) revert Underpaid(before, afterwards);
        update(baseNow, quoteNow);
        emit Swap(msg.sender, baseIn, quoteIn, baseOut, quoteOut);
    }

    function balances() private view returns (uint256, uint256) {
        return (base.balanceOf(address(this)), quote.balanceOf(address(this)));
    }

    function paid(uint256 balance, uint256 expected) private pure returns (uint256) {
        return balance > expected ? balance - expected : 0;
    }

    function update(uint256 baseNow, uint256 quoteNow) private {
        require(baseNow <= type(uint112).max && quoteNow <= type(uint112).max, "overflow");
        baseReserve = uint112(baseNow);
        quoteReserve = uint112(quoteNow);
        emit Reserves(uint112(baseNow), uint112(quoteNow));
    }

    function root(uint256 square) private pure returns (uint256 x) {
        if (square < 2) return square;
        x = square;
        uint256 next = square / 2 + 1;
        while (next < x) {
            x = next;
            next = (x + square / x) / 2;
        }
    }
}

/// A trader who sells both ways by turns and now and then deposits: six external calls per swap.
/// @title swap
contract Trader {
    Token private immutable base = new Token();
    Token private immutable quote = new Token();
    Pair private immutable pair = new Pair(base, quote);

    constructor() {
        base.mint(address(pair), 1e24);
        quote.mint(address(pair), 3e24);
        pair.deposit(address(1));
    }

    function Benchmark() external returns (uint256 sum) {
        base.mint(address(this), 1e24);
        quote.mint(address(this), 1e24);
        quote.approve(address(this), type(uint256).max);
        for (uint256 i = 0; i < 500; i++) {
            uint256 amount = 1e18 + i * 1e15;
            uint256 out = i % 2 == 0 ? sellBase(amount) : sellQuote(3 * amount);
            if (i % 20 == 19) out += deposit(amount);
            unchecked {
                sum = sum * 31 + out;
            }
        }
        (uint256 baseLeft, uint256 quoteLeft) = pair.reserves();
        sum ^= (baseLeft << 112) | quoteLeft;
    }

    function sellBase(uint256 amount) private returns (uint256 out) {
        (uint256 reserveIn, uint256 reserveOut) = pair.reserves();
        out = price(amount, reserveIn, reserveOut);
        base.transfer(address(pair), amount);
        pair.swap(0, out, address(this));
    }

    function sellQuote(uint256 amount) private returns (uint256 out) {
        (uint256 reserveOut, uint256 reserveIn) = pair.reserves();
        out = price(amount, reserveIn, reserveOut);
        quote.transferFrom(address(this), address(pair), amount);
        pair.swap(out, 0, address(this));
    }

    function deposit(uint256 amount) private returns (uint256) {
        base.transfer(address(pair), amount);
        quote.transfer(address(pair), amount * 3);
        return pair.deposit(address(this));
    }

    function price(uint256 amount, uint256 reserveIn, uint256 reserveOut) private pure returns (uint256) {
        uint256 net = amount * 997;
        return (net * reserveOut) / (reserveIn * 1000 + net);
    }
}
