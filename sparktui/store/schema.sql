-- The whole store. Times are seconds since the epoch (REAL) or microseconds (_us). Unknown is NULL.
-- Rows are only added; what changes in place is a `state`, what ended it, and `control.done`.

CREATE TABLE campaign (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    profile_yaml TEXT NOT NULL,
    source TEXT NOT NULL,            -- measured | simulated | published | imported
    created REAL NOT NULL,
    finished REAL,
    host TEXT NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL,             -- queued | running | done | partial | failed | stopped | guard
    exit_code INTEGER,
    detail TEXT,                     -- what ended it, in one sentence
    origin TEXT                      -- JSON: of an imported one, the tool, file, date and calculator; NULL if measured
) STRICT;

CREATE TABLE node (
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    name TEXT NOT NULL,
    facts_json TEXT NOT NULL,
    PRIMARY KEY (campaign, name)
) STRICT;

CREATE TABLE sweep (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    topology TEXT NOT NULL,
    fingerprint TEXT NOT NULL,       -- JSON: model, prompts, sampling, engine, versions
    commands TEXT NOT NULL,          -- JSON: the steps as they were run
    state TEXT NOT NULL,             -- waiting | launching | warming | measuring | stopping | done | failed | stopped | guard
    launched REAL,
    ready REAL,
    stopped REAL,
    proof TEXT,                      -- JSON: what was found left after the stop
    error TEXT,
    latency_mode TEXT,               -- how latency_us was probed, in llama-benchy's words: api | generation | none
    latency_us REAL,                 -- of an idle server, before its first cell; only benchy calculators subtract it
    UNIQUE (campaign, topology)
) STRICT;

CREATE TABLE sweep_node (            -- one node under one topology: what it was to need, and what it needed
    sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
    node TEXT NOT NULL,
    verdict TEXT,                    -- JSON: safe | tight | refuse, with its arithmetic (nodes.verdict)
    left_before_bytes INTEGER,       -- MemAvailable before the launch
    least_left_bytes INTEGER,        -- the least MemAvailable from the launch to the stop
    most_gpu_bytes INTEGER,          -- the most that GPU processes held
    PRIMARY KEY (sweep, node)
) STRICT;

CREATE TABLE cell (
    id INTEGER PRIMARY KEY,
    sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    concurrency INTEGER NOT NULL,
    pp INTEGER NOT NULL,
    tg INTEGER NOT NULL,
    depth INTEGER NOT NULL,
    shape TEXT NOT NULL,             -- waves | pool
    runs INTEGER NOT NULL,           -- waves planned, warm-up not counted
    state TEXT NOT NULL,             -- waiting | measuring | done | failed | skipped
    taint TEXT,                      -- why it cannot win; NULL when it can
    started REAL,
    ended REAL,
    server_tokens INTEGER,           -- the engine's own generation_tokens_total over the cell
    server_prompt_tokens INTEGER,
    ended_by TEXT,                   -- why it has fewer waves than planned, where that was intended
    health TEXT,                     -- JSON: by node, how it was while this was measured (nodes.health)
    UNIQUE (sweep, concurrency, pp, tg, depth, shape)
) STRICT;

CREATE TABLE wave (
    id INTEGER PRIMARY KEY,
    cell INTEGER NOT NULL REFERENCES cell ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    warmup INTEGER NOT NULL,
    started REAL NOT NULL,
    duration_us INTEGER NOT NULL,
    clock TEXT NOT NULL,             -- kernel | user
    lag_p50_us REAL,
    lag_p99_us REAL,
    worker_cpu REAL,
    arrival_error REAL,              -- the most that an arrival may be off, as a share of its time since the send
    stretch TEXT,                    -- JSON: what its cell was measured under up to its end (nodes.stretch)
    UNIQUE (cell, warmup, seq)
) STRICT;

CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    wave INTEGER NOT NULL REFERENCES wave ON DELETE CASCADE,
    slot INTEGER NOT NULL,
    seq INTEGER NOT NULL,            -- its turn in the slot: 0 in a wave, counting up in a pool
    backend TEXT,
    sent_us INTEGER NOT NULL,
    ttfr_us INTEGER,
    ttft_us INTEGER,
    last_us INTEGER,
    ended_us INTEGER,
    first_tokens INTEGER,
    prompt_tokens INTEGER,
    cached_tokens INTEGER,
    completion_tokens INTEGER,
    token_source TEXT NOT NULL,
    finish TEXT,
    error TEXT,
    events BLOB NOT NULL,
    event_tokens BLOB NOT NULL,
    UNIQUE (wave, slot, seq)
) STRICT;

CREATE TABLE known_figure (          -- of imported cells, which have no waves: what their file says
    cell INTEGER NOT NULL REFERENCES cell ON DELETE CASCADE,
    name TEXT NOT NULL,              -- as in measure.figures
    mean REAL NOT NULL,
    std REAL,
    n INTEGER,
    per TEXT NOT NULL,               -- wave | request | cell: what one value stands for
    values_json TEXT NOT NULL,       -- JSON array; [] where only the mean is known
    PRIMARY KEY (cell, name)
) STRICT;

CREATE TABLE live (                  -- four rows a second while a wave is in flight
    id INTEGER PRIMARY KEY,
    t REAL NOT NULL,
    cell INTEGER NOT NULL REFERENCES cell ON DELETE CASCADE,
    wave_seq INTEGER NOT NULL,
    warmup INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    prefilled INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    prefill INTEGER NOT NULL,
    active INTEGER NOT NULL,
    done INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    slots BLOB NOT NULL,
    ttft_p50_ms REAL,
    ttft_p95_ms REAL,
    ttft_max_ms REAL,
    itl_p50_ms REAL,
    itl_p95_ms REAL,
    itl_max_ms REAL,
    stream_p5_tps REAL,
    stream_p50_tps REAL,
    stream_p95_tps REAL,
    lag_p50_us REAL,
    lag_p99_us REAL,
    worker_cpu REAL
) STRICT;
CREATE INDEX live_cell ON live (cell, id);

CREATE TABLE node_sample (
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    t REAL NOT NULL,
    node TEXT NOT NULL,
    phase TEXT NOT NULL,
    mem_total_bytes INTEGER,
    mem_available_bytes INTEGER,
    mem_free_bytes INTEGER,
    gpu_procs_bytes INTEGER,
    gpu_total_bytes INTEGER,
    gpu_used_bytes INTEGER,
    unified INTEGER,
    swap_used_bytes INTEGER,
    swap_in_bytes INTEGER,
    swap_out_bytes INTEGER,
    psi_some_pct REAL,
    psi_full_pct REAL,
    order9_free INTEGER,
    alloc_stalls INTEGER,
    gpu_util_pct REAL,
    power_w REAL,
    temp_c REAL,
    sm_mhz REAL,
    throttle TEXT,
    rdma_rx_bytes INTEGER,
    rdma_tx_bytes INTEGER,
    rdma_errors INTEGER,
    rdma_link_gbps REAL,
    net_rx_bytes INTEGER,
    net_tx_bytes INTEGER,
    load1 REAL,
    top TEXT,
    nvml_ms REAL,
    nvml_hung TEXT,
    energy_j REAL,                   -- GPU energy counter, counting up since the driver was loaded
    heartbeat INTEGER NOT NULL
) STRICT;
CREATE INDEX node_sample_campaign ON node_sample (campaign, node, id);
CREATE INDEX node_sample_time ON node_sample (   -- what is drawn over hours is read from this alone
    campaign, node, t, mem_available_bytes, mem_free_bytes, gpu_procs_bytes, phase);

CREATE TABLE server_sample (
    id INTEGER PRIMARY KEY,
    sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE,
    t REAL NOT NULL,
    backend TEXT NOT NULL,
    running REAL,
    waiting REAL,
    kv_pct REAL,
    prompt_tokens REAL,
    generation_tokens REAL,
    preemptions REAL,
    prefix_queries REAL,
    prefix_hits REAL
) STRICT;
CREATE INDEX server_sample_sweep ON server_sample (sweep, id);

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    t REAL NOT NULL,
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    level TEXT NOT NULL,             -- info | warning | error
    source TEXT NOT NULL,            -- runner | guard | node name | topology
    kind TEXT NOT NULL,              -- launched | ready | cell-done | stopped | guard-stop | ...
    text TEXT NOT NULL,
    data TEXT NOT NULL DEFAULT '{}'  -- JSON
) STRICT;
CREATE INDEX event_campaign ON event (campaign, id);

CREATE TABLE control (               -- the only rows viewers write
    id INTEGER PRIMARY KEY,
    t REAL NOT NULL,
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    command TEXT NOT NULL,           -- stop | end-topology
    done REAL,
    topology TEXT                    -- the one that is to end; NULL in requests of older versions, for the one in flight
) STRICT;

CREATE TABLE launched (              -- what a crashed runner leaves behind, and how to remove it
    id INTEGER PRIMARY KEY,
    campaign INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    sweep INTEGER REFERENCES sweep ON DELETE CASCADE,
    t REAL NOT NULL,
    node TEXT NOT NULL,
    title TEXT NOT NULL,
    pid INTEGER,                     -- of a process group, on the node
    pid_started REAL,                -- so that a pid used again is not killed
    undo TEXT NOT NULL,              -- JSON: the argv that removes it; [] for a process group
    gone REAL
) STRICT;

CREATE TABLE deleted (               -- numbers that are not given again: somebody may still mean the old one
    campaign INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER campaign_deleted AFTER DELETE ON campaign
BEGIN
    INSERT OR IGNORE INTO deleted VALUES (old.id);
END;
