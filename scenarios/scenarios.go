// Package scenarios is the language that a run is written in: one YAML file that
// says what runs, what load it gets, what breaks and when, and what must hold.
//
// Reading is strict. Whatever is wrong is said in one go, each with its line and
// column, the source, and what was expected.
package scenarios
