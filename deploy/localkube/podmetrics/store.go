package podmetrics

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
)

// keptFor is how many readings may fail before the last one counts no more.
const keptFor = 3

// store has the two last readings of every Pod that runs.
type store struct {
	pods       corelisters.PodLister
	nodes      corelisters.NodeLister
	resolution time.Duration

	mu       sync.Mutex
	readings map[types.UID]*reading
	scrapes  map[types.UID]*scrapes
	began    time.Time // of the reading of the machine before the last
	read     time.Time // and of the last
}

// reading is the usage of the containers of a Pod at two times.
type reading struct {
	containers map[string]*containerReading // by name
}

type containerReading struct {
	id         string
	at, before time.Time // before is zero until there are two readings
	cpu        float64   // cores, between the two
	total      time.Duration
	memory     int64 // bytes, at the last
}

func newStore(pods corelisters.PodLister, nodes corelisters.NodeLister, resolution time.Duration) *store {
	return &store{pods: pods, nodes: nodes, resolution: resolution, readings: map[types.UID]*reading{}, scrapes: map[types.UID]*scrapes{}}
}

// follow reads again and again until ctx ends.
func (s *store) follow(ctx context.Context) {
	tick := time.NewTicker(s.resolution)
	defer tick.Stop()
	for {
		pods := s.running()
		var scraping sync.WaitGroup
		scraping.Go(func() { s.scrape(ctx, pods) })
		s.measure(pods)
		scraping.Wait()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *store) running() []*corev1.Pod {
	all, _ := s.pods.List(labels.Everything()) // of memory: no error
	var running []*corev1.Pod
	for _, p := range all {
		if p.Status.Phase == corev1.PodRunning {
			running = append(running, p)
		}
	}
	return running
}

// processGroups are the process groups of the containers that run, by name.
func processGroups(pod *corev1.Pod) map[string]int {
	groups := map[string]int{}
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for _, c := range list {
			text, ours := strings.CutPrefix(c.ContainerID, "localkube://")
			if pid, err := strconv.Atoi(text); ours && err == nil && c.State.Running != nil {
				groups[c.Name] = pid
			}
		}
	}
	return groups
}

// measure reads the usage of all Pods at one time.
func (s *store) measure(pods []*corev1.Pod) {
	wanted := map[int]bool{}
	for _, p := range pods {
		for _, group := range processGroups(p) {
			wanted[group] = true
		}
	}
	now := time.Now()
	groups, err := readGroups(wanted)
	if err != nil {
		return // what was read before grows old
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.read = s.read, now
	fresh := map[types.UID]*reading{}
	for _, p := range pods {
		r := &reading{containers: map[string]*containerReading{}}
		for name, group := range processGroups(p) {
			u, runs := groups[group]
			if !runs {
				continue // it has ended, and the status does not say so yet
			}
			c := &containerReading{id: strconv.Itoa(group), at: now, total: u.cpu, memory: u.memory}
			if last := s.readings[p.UID]; last != nil {
				c.since(last.containers[name])
			}
			r.containers[name] = c
		}
		fresh[p.UID] = r
	}
	s.readings = fresh
}

// since makes a rate of this reading and the one before, if that was of the same process.
func (c *containerReading) since(last *containerReading) {
	if last == nil || last.id != c.id || !c.at.After(last.at) {
		return
	}
	c.total = max(c.total, last.total) // the time of a process that has ended is told less exactly
	c.before = last.at
	c.cpu = (c.total - last.total).Seconds() / c.at.Sub(last.at).Seconds()
}
