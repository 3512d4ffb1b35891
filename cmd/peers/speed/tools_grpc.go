package speed

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// getUser is the call that every gRPC tool makes.
const getUser = "user.v1.UserService/GetUser"

// ghz runs as it does when nothing else is said, or with templates off. Calls
// in flight at the end are waited for, not counted as failures.
func ghz(name string, more ...string) *tool {
	return &tool{
		name: name, peer: "ghz",
		args: func(j job) []string {
			args := []string{"--insecure", "--call=" + getUser, `--data={"user_id":"42"}`, "--concurrency=" + strconv.Itoa(j.clients),
				"--connections=" + strconv.Itoa(j.conns), "--duration=" + j.lasts.String(), "--duration-stop=wait", "--format=json", "--output=result.json"}
			if j.rate > 0 {
				args = append(args, "--rps="+strconv.Itoa(j.rate))
			}
			return append(append(args, more...), j.addr)
		},
		read: readFile("result.json", readGhz),
	}
}

func readGhz(text []byte) (said, error) {
	var doc struct {
		Count        *int64
		Status       map[string]int64 `json:"statusCodeDistribution"`
		Distribution []struct {
			Percentage int
			Latency    time.Duration
		} `json:"latencyDistribution"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return said{}, fmt.Errorf("read ghz's result: %w", err)
	}
	if doc.Count == nil {
		return said{}, fmt.Errorf("ghz's result has no count: %.200s", text)
	}
	s := said{calls: *doc.Count, failed: *doc.Count - doc.Status["OK"]}
	for _, d := range doc.Distribution {
		if d.Percentage == 99 {
			s.p99 = d.Latency
		}
	}
	return s, nil
}
