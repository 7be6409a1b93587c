"""compiler/passes"""
