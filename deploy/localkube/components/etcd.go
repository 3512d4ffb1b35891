package components

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/storage/wal"
)

// EtcdSocket is the unix socket of etcd, in the working directory: no port, and nobody else's.
const EtcdSocket = "etcd.sock"

// EtcdURL is where the API server finds it, if it has the same working directory.
const EtcdURL = "unix://" + EtcdSocket

// runEtcd keeps its data below the working directory, for as long as the process lives and no longer: nothing is
// synced to the disk, and little is kept.
func runEtcd(ctx context.Context) error {
	wal.SegmentSizeBytes = 4 << 20 // allocated ahead; 64 MiB otherwise
	c := embed.NewConfig()
	c.Name, c.Dir = "localkube", "etcd"
	// Unix sockets. What is advertised is written down and never dialled: there is no other member.
	c.ListenClientUrls = []url.URL{{Scheme: "unix", Host: EtcdSocket}}
	c.ListenPeerUrls = []url.URL{{Scheme: "unix", Host: "peer.sock"}}
	c.AdvertiseClientUrls = []url.URL{{Scheme: "http", Host: "localhost:2379"}}
	c.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "localhost:2380"}}
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = true
	c.SnapshotCount, c.SnapshotCatchUpEntries = 2000, 200
	c.TickMs, c.ElectionMs = 50, 250 // the election of the only member takes at most two of the latter
	c.BackendBatchInterval = time.Second
	c.EnableGRPCGateway = false
	c.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration // none is a warning for every request
	c.LogLevel, c.LogOutputs = "warn", []string{embed.StdErrLogOutput}
	e, err := embed.StartEtcd(c)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer e.Close()
	select {
	case err := <-e.Err():
		return err
	case <-ctx.Done():
		return nil
	}
}
