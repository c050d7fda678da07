create table about (key text primary key, value text not null);

create table accounts (
    account_id text primary key check (account_id glob 'AC-2[0-9][0-9][0-9][0-9]'),
    holder text not null check (length(holder) > 0),
    kind text not null check (kind in ('current', 'savings', 'business', 'student')),
    opened text not null check (opened is date(opened) and opened <= '2026-03-02'),
    country text not null check (country glob '[A-Z][A-Z]') -- where the holder lives
);

create table transactions (
    transaction_id text primary key check (transaction_id glob 'TX-[1-9][0-9][0-9][0-9][0-9][0-9]'),
    account_id text not null references accounts,
    booked_at text not null check (booked_at is strftime('%Y-%m-%d %H:%M:%S', booked_at)),
    amount real not null check (typeof(amount) = 'real' and amount <> 0 and amount = round(amount, 2)), -- below 0: out
    currency text not null check (currency in ('EUR', 'CHF', 'GBP', 'USD')),
    counterparty text not null check (length(counterparty) > 0),
    country text not null check (country glob '[A-Z][A-Z]'), -- where the counterparty or the card terminal is
    channel text not null check (
        channel in ('card present', 'card online', 'transfer', 'standing order', 'direct debit', 'cash')
    ),
    description text not null check (length(description) > 0)
);
create index transactions_by_account on transactions (account_id, booked_at);
create index transactions_by_counterparty on transactions (counterparty);
