package kubernetes

import (
	"k8s.io/apimachinery/pkg/api/meta"
)

// lastApplied is where kubectl apply keeps a copy of an object in itself.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// trim takes away what objects say of who wrote which of their fields: it is
// the larger part of many, and nobody here reads it.
func trim(object any) (any, error) {
	m, err := meta.Accessor(object)
	if err != nil {
		return object, nil //nolint:nilerr // not an object, but a tombstone: passed on as it is
	}
	if m.GetManagedFields() != nil {
		m.SetManagedFields(nil)
	}
	if notes := m.GetAnnotations(); notes[lastApplied] != "" {
		delete(notes, lastApplied)
		m.SetAnnotations(notes)
	}
	return object, nil
}
