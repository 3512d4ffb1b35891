package controlplane

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

// State is what DIR/state.json says of a control plane.
type State struct {
	PID        int          `json:"pid"`              // of the supervisor
	Mark       string       `json:"mark"`             // in the environment of every other process, as NAME=VALUE
	Groups     string       `json:"groups,omitempty"` // directory of the control groups of Pods, which may be gone or not there yet
	Started    time.Time    `json:"started"`
	Ready      bool         `json:"ready"`
	Server     string       `json:"server"`
	Metrics    string       `json:"metrics"` // HOST:PORT of the metrics APIs themselves
	Kubeconfig string       `json:"kubeconfig"`
	Subnet     netip.Prefix `json:"subnet"` // of Pods and Services
	Components []Component  `json:"components"`
}

// Component is a process of the control plane.
type Component struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
}

const stateFile = "state.json"

// ReadState reads the state of the control plane in dir, which may be gone.
func ReadState(dir string) (State, error) {
	var s State
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if err != nil {
		return s, fmt.Errorf("read the state: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read the state in %s: %w", dir, err)
	}
	return s, nil
}

// write writes the state to dir: the old one stays whole until the new one is.
func (s State) write(dir string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	next := filepath.Join(dir, stateFile+".next")
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	if err := os.Rename(next, filepath.Join(dir, stateFile)); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}
