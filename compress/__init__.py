"""How is a given network made smaller?"""
