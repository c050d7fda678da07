create table about (key text primary key, value text not null);

create table patients (
    patient_id text primary key check (patient_id glob 'P-[1-9][0-9][0-9][0-9]'),
    name text not null unique check (length(name) > 0),
    born text not null check (born is date(born) and born <= '2026-03-02'),
    sex text not null check (sex in ('F', 'M')),
    ward text check (ward in ('A1', 'A2', 'A3', 'A4', 'A5', 'A6', 'B1', 'B2', 'B3', 'B4')), -- null: not admitted
    bed text unique check (bed glob ward || '-[0-9][0-9]'),
    allergies text not null check (length(allergies) > 0),
    blood_group text not null check (blood_group in ('0+', '0-', 'A+', 'A-', 'B+', 'B-', 'AB+', 'AB-')),
    check ((ward is null) = (bed is null))
);
create index patients_by_ward on patients (ward);

create table diagnoses (
    patient_id text not null references patients,
    code text not null check (code glob '[A-Z][0-9][0-9]' or code glob '[A-Z][0-9][0-9].[0-9]'), -- ICD-10
    description text not null check (length(description) > 0),
    since text not null check (since is date(since) and since <= '2026-03-02'),
    primary key (patient_id, code)
);
create index diagnoses_by_code on diagnoses (code);

create table medications (
    patient_id text not null references patients,
    drug text not null check (length(drug) > 0),
    dose text not null check (dose glob '[0-9]*'),
    route text not null
        check (route in ('oral', 'intravenous', 'subcutaneous', 'intramuscular', 'inhaled', 'sublingual')),
    frequency text not null check (length(frequency) > 0),
    started text not null check (started is date(started)),
    stopped text check (stopped is null or (stopped is date(stopped) and stopped >= started)), -- null: still given
    primary key (patient_id, drug, route, started)
);
create index medications_by_drug on medications (drug);

create table observations (
    patient_id text not null references patients,
    taken_at text not null check (taken_at is strftime('%Y-%m-%d %H:%M', taken_at)),
    kind text not null check (
        kind in ('pulse', 'systolic', 'diastolic', 'temperature', 'respiratory rate', 'oxygen saturation')
    ),
    value real not null check (typeof(value) = 'real' and value > 0),
    unit text not null check (unit = case kind
        when 'pulse' then '/min' when 'respiratory rate' then '/min' when 'temperature' then '°C'
        when 'oxygen saturation' then '%' else 'mmHg' end),
    primary key (patient_id, kind, taken_at),
    check (kind <> 'oxygen saturation' or value <= 100)
);

create table laboratory (
    patient_id text not null references patients,
    taken_at text not null check (taken_at is strftime('%Y-%m-%d %H:%M', taken_at)),
    test text not null check (length(test) > 0),
    value real not null check (typeof(value) = 'real' and value >= 0),
    unit text not null check (length(unit) > 0),
    primary key (patient_id, test, taken_at)
);
create index laboratory_by_test on laboratory (test, value);

create table encounters (
    patient_id text not null references patients,
    at text not null check (at is strftime('%Y-%m-%d %H:%M', at)),
    kind text not null
        check (kind in ('admission', 'ward round', 'nursing note', 'consultation', 'outpatient visit')),
    summary text not null check (length(summary) between 10 and 300),
    primary key (patient_id, at, kind)
);
