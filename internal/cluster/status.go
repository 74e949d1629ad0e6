package cluster

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/k8guard/k8guard/internal/entity"
)

// note applies a change to the status; a change for better or worse is logged once and
// told to the handler.
func (s *store) note(change func()) {
	s.mu.Lock()
	before := s.statusLocked()
	change()
	after := s.statusLocked()
	s.mu.Unlock()
	if before.Complete == after.Complete && text(before.Err) == text(after.Err) {
		return
	}
	switch {
	case after.Err != nil && text(before.Err) != text(after.Err):
		s.settings.Log.Error("a kind cannot be read; its objects count as unknown", "kind", s.kind, "err", after.Err)
	case after.Complete:
		s.settings.Log.Debug("a kind is read completely", "kind", s.kind)
	}
	s.handler.StatusChanged(s.kind)
}

// opened notes that a watch began. One that begins with a list proves nothing before that
// list is whole.
func (s *store) opened(stream bool) {
	s.note(func() {
		s.stream, s.state.LastEvent, s.opens = stream, s.settings.Now(), patience{}
		if !stream {
			s.openErr = nil
		}
	})
}

func (s *store) status() Status {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.statusLocked()
}

func (s *store) statusLocked() Status {
	st := s.state
	st.Err = errors.Join(s.listErr, s.openErr)
	st.Complete = st.Listed && st.Err == nil
	return st
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func uidOf(object any) (string, error) {
	if r, ok := object.(*Record); ok {
		return r.UID, nil
	}
	if pod, ok := object.(*corev1.Pod); ok {
		return entity.PodUID(pod), nil
	}
	m, err := meta.Accessor(object)
	if err != nil {
		return "", fmt.Errorf("cluster: a deleted object without metadata: %w", err)
	}
	return string(m.GetUID()), nil
}
