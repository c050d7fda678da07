-- One PostgreSQL schema per collection. The dimensions are filled in when it is made.
create extension if not exists vector with schema public;

-- One row: how the collection was made, and what BM25 needs to know of the whole, renewed at the end of an ingest.
create table about (
    model    text not null,
    language regconfig not null,
    chunks   bigint not null default 0,
    words    bigint not null default 0
);

create table documents (
    id       integer generated always as identity primary key,
    path     text not null unique,
    hash     text not null,
    title    text not null,
    metadata jsonb not null,
    text     text not null
);

create table chunks (
    id        integer generated always as identity primary key,
    document  integer not null references documents on delete cascade,
    start     integer not null,
    stop      integer not null,
    heading   text not null,
    page      integer,
    text      text not null,
    words     integer not null,  -- how many BM25 counts in it
    embedding halfvec({dimensions}) not null
);
create index on chunks (document);
create index on chunks using hnsw (embedding halfvec_cosine_ops);

-- The inverted index: how often a term occurs in a chunk of how many words.
create table postings (
    term  text collate "C" not null,
    chunk integer not null references chunks on delete cascade,
    count smallint not null,
    words integer not null
);
create index on postings (term) include (chunk, count, words);
create index on postings (chunk);
