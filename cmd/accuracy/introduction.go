package main

// introduction is what the document says before the figures of a run.
const introduction = `# Accuracy

<!-- Written by "make accuracy". Do not edit. -->

Is what Ordeal reports what happened? Each case runs it against a target that says of every call when it arrived, what was
done to it, and when its answer was handed to the kernel. What every call took follows from that and from the schedule, and
is compared with what Ordeal reports. Other load generators run the same case against the same program after it. They run
at the same time, each with a target of its own, and share the processors; beside each stands the truth of its own run, which
is slow where the machine was.

## How the truth is worked out

- **One clock.** The target's log is on the machine's monotonic clock. Evidence has offsets from a base whose wall clock is
  recorded; both clocks are read together 20 times a second during the run, which ties the base to the monotonic clock. Every
  call proves it: it must arrive after it was sent and be done after it was answered. The shortest ways are below each table.
- **Response time** of call n: from the time at which the schedule has call n to the moment at which the last bytes of its
  answer were handed to the kernel (gRPC: to the transport), or its connection was reset. The schedule is worked out anew here.
- **A call that times out** ends when the client gives up: its time-out after it was sent, which the target knows by the
  call's arrival. So its response time is that and whatever it had waited to be sent.
- **A call that was never issued**, because the run ended first, is in no figure on either side, and is counted.
- **A message** of a server stream: from the message before it (the first: from the call's arrival) to its own. Of a
  bidirectional stream: from when it was due by its interval, counted from the first, to its answer. Of a client stream: from
  when it was due to when the stream took it. The messages of that case are larger than what a stream takes ahead of its
  receiver, so it takes one when the target begins to receive the one before, or, where the target waits for it already,
  between when it is due and its arrival: that truth is an interval.
- **Peers** send calls without a number: the i-th to arrive is the i-th of the schedule, which begins with the first arrival (or
  earlier, if the first was held up: no call comes before its time, so at the earliest start that the first fifth suggests).
  Of a peer that drops calls, each call it made takes the newest place of the schedule that was due and leaves one to every
  later call. The empty places are calls that users would have made: they are in the truth where the target's behaviour
  follows from the time alone, and are left out elsewhere; each table says which.
- **The rule**: p50, p90, p99, p99.9 and the maximum of the response time, as Ordeal reports them from its histogram, lie
  within 2 % or 1 ms of the truth, whichever is more. A percentile needs ten values beyond it; one that the truth has and the
  report does not is a failure, and so is any difference in how many calls there were and how they ended. A case that fails
  is run again, at most twice, and every attempt is shown.
- **The control**: in the cases that say so, service times are judged as if they were response times, and must fail.

Service time is from the actual send. It is what most tools call latency, and it is blind to waiting before the send.

## This run

`
