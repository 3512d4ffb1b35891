// Package spawn starts processes that do not outlive the one who started them, however that one ends.
package spawn
