// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.31;

/// An array of structs in memory: particles in a box.
/// @title structs-memory
contract StructsInMemory {
    struct Particle {
        int256 x;
        int256 y;
        int256 dx;
        int256 dy;
        uint256 bounces;
    }

    int256 private constant EDGE = 1000;

    function Benchmark() external pure returns (uint256 sum) {
        Particle[] memory particles = new Particle[](150);
        for (uint256 i = 0; i < particles.length; i++) {
            int256 k = int256(i);
            particles[i] = Particle((k * 37) % EDGE, (k * 59) % EDGE, (k % 23) - 11, 7 - (k % 17), 0);
        }
        for (uint256 step = 0; step < 100; step++) {
            for (uint256 i = 0; i < particles.length; i++) move(particles[i]);
        }
        for (uint256 i = 0; i < particles.length; i++) {
            Particle memory p = particles[i];
            unchecked {
                sum = sum * 31 + uint256(p.x * EDGE + p.y) + p.bounces * uint256(p.dx * p.dx + p.dy * p.dy);
            }
        }
    }

    function move(Particle memory p) private pure {
        p.x += p.dx;
        p.y += p.dy;
        if (p.x < 0 || p.x >= EDGE) {
            p.dx = -p.dx;
            p.x += 2 * p.dx;
            p.bounces++;
        }
        if (p.y < 0 || p.y >= EDGE) {
            p.dy = -p.dy;
            p.y += 2 * p.dy;
            p.bounces++;
        }
    }
}

/// An array of structs in storage that grows, is walked over, and shrinks from the middle.
/// @title structs-storage
contract StructsInStorage {
    struct Account {
        address owner;
        uint256 balance;
        uint256 debt;
    }

    Account[] private accounts;

    function Benchmark() external returns (uint256 sum) {
        delete accounts;
        for (uint256 i = 0; i < 60; i++) accounts.push(Account(address(uint160(1000 + i)), 1000 + i, i % 7));
        for (uint256 round = 0; round < 70; round++) {
            for (uint256 i = 0; i < accounts.length; i++) accrue(accounts[i], round);
            settle(round % accounts.length, (round * 13 + 1) % accounts.length);
            if (round % 4 == 3) remove((round * 11) % accounts.length);
        }
        for (uint256 i = 0; i < accounts.length; i++) {
            Account memory account = accounts[i];
            unchecked {
                sum = sum * 31 + uint160(account.owner) * account.balance + account.debt;
            }
        }
    }

    function accrue(Account storage account, uint256 rate) private {
        account.debt += account.debt / 50 + (rate & 1);
        if (account.debt > account.balance) account.debt = account.balance / 2;
    }

    function settle(uint256 from, uint256 to) private {
        uint256 amount = accounts[from].balance / 10;
        accounts[from].balance -= amount;
        accounts[to].balance += amount;
    }

    function remove(uint256 place) private {
        accounts[place] = accounts[accounts.length - 1];
        accounts.pop();
    }
}

/// Structs of five fields packed into one slot each: masks and shifts around every access.
/// @title structs-packed
contract PackedStructs {
    struct Position {
        uint96 amount;
        int64 profit;
        uint40 updated;
        uint24 trades;
        uint16 fee;
        uint8 level;
        bool open;
    }

    mapping(uint256 => Position) private positions;

    function Benchmark() external returns (uint256 sum) {
        for (uint256 i = 0; i < 50; i++) {
            positions[i] = Position(uint96(1e18 + i), 0, uint40(i), 0, uint16(30 + i), 0, true);
        }
        for (uint256 round = 0; round < 80; round++) {
            for (uint256 i = 0; i < 50; i++) trade(positions[i], round + i);
        }
        for (uint256 i = 0; i < 50; i++) {
            Position memory p = positions[i];
            unchecked {
                sum = sum * 31 + p.amount + uint64(p.profit) + p.updated * p.trades + p.fee * p.level;
                if (p.open) sum++;
            }
        }
    }

    function trade(Position storage position, uint256 seed) private {
        position.open = !position.open;
        position.updated += 12;
        if (!position.open) return;
        position.trades++;
        position.amount += uint96(position.fee * (seed % 100));
        position.profit += int64(uint64(seed % 31)) - 15;
        if (position.trades % 10 == 0) position.level++;
    }
}
