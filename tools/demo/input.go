package main

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/k8guard/k8guard/internal/config"
)

// readRules takes the rules' parameters that the scan of the same manifests takes.
func readRules(path string) (config.Rules, error) {
	loaded, _, err := config.Load(config.Source{File: path})
	if err != nil {
		return config.Rules{}, fmt.Errorf("the demo's rules: %w", err)
	}
	return loaded.Rules, nil
}

// images are what the nodes report that they hold.
func images() []corev1.ContainerImage {
	const mb = 1000 * 1000
	var all []corev1.ContainerImage
	for name, size := range map[string]int64{
		"registry.demo.example/shop/web:1.4.0": 48 * mb, "registry.demo.example/shop/node-tuner:0.9.1": 21 * mb,
		"registry.demo.example/shop/sync:1.2": 9 * mb, "registry.demo.example/shop/report:2.0": 300 * mb, "docker.io/library/redis:7": 45 * mb,
		"registry.demo.example/payments/api:2.0.3": 82 * mb, "registry.demo.example/payments/agent:3": 15 * mb,
		"registry.demo.example/payments/ledger:7": 120 * mb, "docker.io/library/rabbitmq:4": 110 * mb,
		"registry.demo.example/tools/busybox:1.37": 2 * mb, "registry.demo.example/legacy/shipper:1": 33 * mb,
		"registry.demo.example/legacy/reporting:1": 7400 * mb, // too large
	} {
		all = append(all, corev1.ContainerImage{Names: []string{name}, SizeBytes: size})
	}
	return all
}
