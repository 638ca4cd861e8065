// The module HueyConsumer.
